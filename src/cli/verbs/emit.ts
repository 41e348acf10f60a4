/** `czar emit`: what a running agent reports. Reads its arguments itself, since texts may begin with dashes. */
import { emit, waitForAnswer } from '../../daemon/emit.ts';
import type { RawVerb } from '../verb.ts';

export const verb: RawVerb = {
  async raw(argv, context) {
    const said = emit(argv, context.env);
    const { exit, stdout, stderr } = said.waits === undefined ? said : await waited(said.waits);
    if (stdout !== '') context.out.exact(stdout);
    for (const line of stderr.split('\n')) if (line !== '') context.out.error(line);
    context.exit(exit);
  },
};

/** Whoever ends the waiting ends the question too. */
async function waited(
  asked: Parameters<typeof waitForAnswer>[0],
): ReturnType<typeof waitForAnswer> {
  const off = new AbortController();
  const stop = (): void => off.abort();
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, stop);
  try {
    return await waitForAnswer(asked, off.signal);
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}
