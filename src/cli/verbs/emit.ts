/** `czar emit`: what a running agent reports. Reads its arguments itself, since texts may begin with dashes. */
import { emit, waitForAnswer } from '../../daemon/emit.ts';
import type { RawVerb } from '../verb.ts';

export const verb: RawVerb = {
  async raw(argv, context) {
    const { words, json } = context.options.json ? asDocument(argv) : { words: argv, json: false };
    const said = emit(words, context.env);
    const ended = said.waits === undefined ? said : await waited(said.waits);
    const { exit, stdout, stderr, problem } = ended;
    if (json && problem !== undefined)
      context.out.json({ v: 1, error: { code: exit, where: null, ...problem } });
    else if (json) {
      const done = stdout === '' ? 'Recorded.' : stdout.replace(/\n$/, '');
      context.out.json({ v: 1, ok: true, done, next: null });
    } else if (stdout !== '') context.out.exact(stdout);
    for (const line of stderr.split('\n')) if (line !== '') context.out.error(line);
    context.exit(exit);
  },
};

/** The words without `--json`, where that is no word of a text: before the verb, first or last. */
function asDocument(argv: readonly string[]): {
  readonly words: readonly string[];
  readonly json: boolean;
} {
  if (argv[0] === '--json') return { words: argv.slice(1), json: true };
  if (argv.at(-1) === '--json' && !argv.includes('--'))
    return { words: argv.slice(0, -1), json: true };
  return { words: argv, json: !argv.includes('--json') };
}

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
