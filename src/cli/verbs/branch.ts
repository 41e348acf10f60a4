/** `czar branch status [WORKER]`: commits, the latest one, how far ahead: as git has it now. */
import { definitionOf } from '../../core/state.ts';
import { branchStatus } from '../../daemon/views/branch-status.ts';
import { membersOf } from '../../report/status.ts';
import { counted } from '../../report/figures.ts';
import { exits } from '../exit.ts';
import { chosenRun, chosenWorker, reading } from '../reading.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .command('status')
      .description('commits, the latest one, how far it is ahead of the target and of integration')
      .argument('[worker]', 'only its branch')
      .action(async (id: string | undefined) => {
        await reading(context, async (reader, place) => {
          const { out } = context;
          const run = chosenRun(context, reader.loadCurrent(context.options.run));
          if (run === null) return;
          const one = id === undefined ? undefined : chosenWorker(context, run, id);
          if (one === null) return;
          const found = await branchStatus(place, run, one === undefined ? membersOf(run) : [one]);
          if (found.kind === 'failed')
            return context.fail({ exit: exits.failed, what: found.error });
          const { document } = found;
          if (one !== undefined && document.branches.length === 0) {
            return context.fail({
              exit: exits.nothing,
              what:
                definitionOf(run, one.id).workspace === 'empty'
                  ? `${one.id} has an empty workspace, and no branch`
                  : `${one.id} has no branch yet`,
              next: `czar why ${one.id}`,
            });
          }
          if (context.options.json) return out.json(document);
          out.table(
            document.branches.map((row) => [
              row.branch,
              row.state,
              counted(row.commits, 'commit'),
              row.commits_ahead === null ? '' : `${row.commits_ahead} ahead of ${document.against}`,
              row.unmerged === null ? '' : `${row.unmerged} not merged`,
              row.diverged ?? row.latest_commit?.replace(/^(\S{10})\S*/, '$1') ?? 'not there',
            ]),
          );
        });
      });
  },
};
