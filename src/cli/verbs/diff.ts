/** `czar diff WORKER`: what its branch brings over the integration branch. */
import { definitionOf } from '../../core/state.ts';
import { workerDiff } from '../../daemon/views/diff.ts';
import { exits } from '../exit.ts';
import { readingWorker } from '../reading.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('<worker>', 'worker whose work to show')
      .option('--stat', 'only the list of files with the number of changed lines')
      .action(async (id: string, options: { stat?: boolean }) => {
        await readingWorker(context, id, async ({ place, run, worker }) => {
          const { out } = context;
          const diff = await workerDiff(place, { run, worker, width: context.columns });
          if (diff === null && definitionOf(run, id).workspace === 'empty') {
            context.fail({
              exit: exits.nothing,
              what: `${id} has an empty workspace: it changes nothing of the repository`,
              next: worker.kept.length === 0 ? `czar path ${id}` : `czar kept show ${id}`,
            });
          } else if (diff === null) {
            const tree = worker.worktree === null ? null : `look into ${worker.worktree}`;
            context.fail({
              exit: exits.nothing,
              what: `nothing of ${id} has been collected yet`,
              next: tree ?? `czar why ${id}`,
            });
          } else if ('problem' in diff) {
            context.fail({ exit: exits.failed, what: diff.problem, where: `worker ${id}` });
          } else if (context.options.json) {
            const { created, modified, deleted, commits, changed, text } = diff;
            out.json({
              v: 1,
              worker: id,
              commits,
              created,
              modified,
              deleted,
              changed,
              diff: text,
            });
          } else if (options.stat === true) {
            out.block(diff.stat);
          } else if (context.isTerminal) {
            out.block(diff.text ?? '');
          } else {
            out.exact(diff.text ?? '');
          }
        });
      });
  },
};
