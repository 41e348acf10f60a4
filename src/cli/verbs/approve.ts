/**
 * `czar approve ID… | --all`: lets launches that wait for a person start, and attempts do what they wait with
 * (`WORKER/p1`). `czar approve WORKER --path P`: lets the change
 * of one protected path pass, as it stands now.
 */
import { exits } from '../exit.ts';
import { steer } from '../steering.ts';
import { chosenWorkers, sentences } from './which-workers.ts';
import type { CliContext, Verb } from '../verb.ts';

interface Options {
  readonly all?: boolean;
  readonly path?: string;
}

export const verb: Verb = {
  define(command, context) {
    command
      .argument(
        '[workers...]',
        'workers that may start, or WORKER/p1 for what a running one may do',
      )
      .option('--all', 'everything that waits for an approval')
      .option('--path <path>', 'a protected path that the worker changed, as czar why names it')
      .action(async (named: string[], options: Options) => {
        if (options.path !== undefined) return approvePath(context, named, options.path, options);
        const workers = chosenWorkers(context, 'approve', { named, all: options.all === true });
        if (workers === undefined) return;
        await steer(
          context,
          (run) => ({ kind: 'approve', run, workers }),
          workers === null
            ? 'Everything that waited for an approval is approved.'
            : sentences(workers, {
                launches: (names) => `${names} may start.`,
                asks: (names) => `${names} ${names.includes(',') ? 'are' : 'is'} allowed.`,
              }),
        );
      });
  },
};

async function approvePath(
  context: CliContext,
  named: readonly string[],
  path: string,
  options: Options,
): Promise<void> {
  const [worker, ...others] = named;
  if (worker === undefined || others.length > 0 || options.all === true) {
    return context.fail({
      exit: exits.wrong,
      what: '--path is a path of one worker',
      next: 'czar approve WORKER --path PATH',
    });
  }
  await steer(
    context,
    (run) => ({ kind: 'approve-path', run, worker, path }),
    `The change of ${path} by ${worker} is approved.`,
  );
}
