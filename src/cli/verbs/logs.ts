/** `czar logs WORKER`: what the agent of an attempt printed, as a person reads it. */
import { definitionOf } from '../../core/state.ts';
import { readableOutput } from '../../daemon/views/readable-output.ts';
import { attemptEvents, attemptsOf } from '../../report/attempts.ts';
import { outputRedactor } from '../../daemon/redactions.ts';
import { exits } from '../exit.ts';
import { readingWorker, streamEnd } from '../reading.ts';
import type { PlainVerb } from '../verb.ts';

export const verb: PlainVerb = {
  words: [{ name: 'worker', required: true, text: 'worker whose output to show' }],
  options: [
    { name: 'follow', short: 'f', text: 'go on until the attempt ends or Ctrl-C' },
    { name: 'raw', text: 'the lines as they came, also of an agent that prints JSON' },
    {
      name: 'attempt',
      value: 'n',
      text: 'the attempt (default: the last one)',
      wrong: (text) => (/^[1-9]\d{0,5}$/.test(text) ? null : 'It must be a number from 1.'),
    },
  ],
  act: async (context, { words: [id = ''], flags, values }) => {
    await readingWorker(context, id, async ({ reader, place, run, worker }) => {
      const attempt = Number(values.get('attempt') ?? worker.attempts);
      if (attempt < 1 || attempt > worker.attempts) {
        context.fail({
          exit: exits.nothing,
          what:
            worker.attempts === 0
              ? `${id} has not been started yet`
              : `${id} has no attempt ${attempt}: there were ${worker.attempts}`,
          next: `czar why ${id}`,
        });
        return;
      }
      const { out } = context;
      using end = streamEnd(context);
      const follow = flags.has('follow');
      const at = { run: run.id, worker: id, attempt };
      const made =
        attempt === worker.attempts
          ? undefined
          : attemptsOf(reader.events({ run: run.id, worker: id, types: attemptEvents })).find(
              ({ n }) => n === attempt,
            );
      const agent = made && (made.agent?.name ?? definitionOf(run, id).agent.name);
      const redact = outputRedactor(run.plan, context.env, { home: place.home.path, ...at });
      const readable = flags.has('raw') ? null : readableOutput(run, id, agent);
      for await (const { stream, text } of reader.output({
        ...at,
        follow,
        signal: end.signal,
      })) {
        if (end.signal.aborted) break;
        if (context.options.json) out.json({ v: 1, ...at, stream, text: redact(text) });
        else if (stream === 'errors') out.line({ text: redact(text), style: 'dim' });
        else for (const line of readable?.(text) ?? [text]) out.line(redact(line));
      }
    });
  },
};
