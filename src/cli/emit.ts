/** `czar emit`: what a running agent reports. Reads its arguments itself, since texts may begin with dashes. */
import { emit } from '../daemon/emit.ts';
import type { RawVerb } from './verb.ts';

export const verb: RawVerb = {
  async raw(argv, context) {
    const { exit, stdout, stderr } = emit(argv, context.env);
    if (stdout !== '') context.out.exact(stdout);
    for (const line of stderr.split('\n')) if (line !== '') context.out.error(line);
    context.exit(exit);
  },
};
