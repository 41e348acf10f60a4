/** `czar conflicts`: which branches that are under way would be in conflict with each other. It blocks nothing. */
import { isRunLive, type RepositoryState, type RunState } from '../../core/state.ts';
import { conflictsOf } from '../../daemon/views/conflicts.ts';
import { exits } from '../exit.ts';
import { chosenRun, reading } from '../reading.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command.addHelpText(
      'after',
      '\nCompares the branches of all workers that are not through, with what agents have committed so far, each with' +
        '\neach and with integration. Without --run those of every live run. What is not committed is not seen.',
    );
    command.action(async () => {
      await reading(context, async (reader, place) => {
        const runs = runsIn(context, reader.load());
        if (runs === null) return;
        const { out } = context;
        const found = await conflictsOf(place, runs);
        if (found.kind === 'failed') return context.fail({ exit: exits.failed, what: found.error });
        const { document } = found;
        if (context.options.json) return out.json(document);
        for (const { branches, files } of document.conflicts)
          out.line(`${branches.join(' and ')}: ${files.join(', ') || 'they share no history'}`);
        for (const { branches, why } of document.unknown)
          out.line(`${branches.join(' and ')}: not known: ${why}`);
        if (document.conflicts.length === 0 && document.unknown.length === 0)
          out.line(
            document.branches.length < 2
              ? 'Fewer than two branches are in flight: nothing can be in conflict.'
              : `No conflicts between ${document.branches.length} branches.`,
          );
      });
    });
  },
};

/** The run that is named, else all that live; null when that is none, which has been said. */
function runsIn(context: CliContext, state: RepositoryState): readonly RunState[] | null {
  const live = [...state.runs.values()].filter(isRunLive);
  if (context.options.run === null && live.length > 1) return live;
  const run = chosenRun(context, state);
  return run === null ? null : [run];
}
