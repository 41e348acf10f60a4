/** `czar logs WORKER`: what the agent of an attempt printed. */
import { InvalidArgumentError } from 'commander';
import { exits } from './exit.ts';
import { readingWorker, streamEnd } from './reading.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('<worker>', 'worker whose output to show')
      .option('-f, --follow', 'go on until the attempt ends or Ctrl-C')
      .option('--attempt <n>', 'the attempt (default: the last one)', attemptNumber)
      .action(async (id: string, options: { follow?: boolean; attempt?: number }) => {
        await readingWorker(context, id, async ({ reader, run, worker }) => {
          const attempt = options.attempt ?? worker.attempts;
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
          const follow = options.follow === true;
          const at = { run: run.id, worker: id, attempt };
          for await (const { stream, text } of reader.output({
            ...at,
            follow,
            signal: end.signal,
          })) {
            if (end.signal.aborted) break;
            if (context.options.json) out.json({ v: 1, ...at, stream, text });
            else if (stream === 'errors') out.line({ text, style: 'dim' });
            else out.line(text);
          }
        });
      });
  },
};

function attemptNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a number from 1.');
  return Number(text);
}
