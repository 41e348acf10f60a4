/** Mutants of how work comes home: pull requests, pushes, syncs, and what a resolution removed. */
import { decide } from '../src/core/decide.ts';
import { schedule } from '../src/core/schedule.ts';
import type { RepositoryState, RunState } from '../src/core/state.ts';
import { rules } from './mutate-rules.ts';
import type { Mutant } from './mutant.ts';
import { performing } from './mutants-world.ts';

/** The state as it would be if nothing had been said of any pull request. */
function forgetful(state: RepositoryState): RepositoryState {
  const runs = [...state.runs].map(([id, run]): [string, RunState] => [
    id,
    run.pull === null ? run : { ...run, pull: { ...run.pull, seen: [] } },
  ]);
  return { ...state, runs: new Map(runs) };
}

export const homeMutants: readonly Mutant[] = [
  {
    breaks: 'P20',
    name: 'what was said of a pull request goes back again',
    mutation: rules({
      decide: (state, command, now) =>
        decide(command.kind === 'send-back' ? forgetful(state) : state, command, now),
    }),
  },
  {
    breaks: 'P21',
    name: 'a branch is pushed before it is merged',
    mutation: rules({
      schedule: (state, options) => {
        const planned = schedule(state, options);
        const early = [...state.runs.values()].flatMap((run) =>
          [...run.workers.values()].flatMap(({ id, state: at, work }) =>
            at === 'merging' && work !== null
              ? [
                  {
                    kind: 'push' as const,
                    key: `${run.id}/push:${id}`,
                    run: run.id,
                    refs: { [`refs/heads/czar/${run.id}/${id}`]: work.tip },
                  },
                ]
              : [],
          ),
        );
        return { ...planned, intents: [...planned.intents, ...early] };
      },
    }),
  },
  {
    breaks: 'P21',
    name: 'a push goes over what others pushed',
    mutation: performing('push', async ({ intent, inner, world }) => {
      for (const [ref, commit] of Object.entries(intent.refs)) {
        const from = world.remote?.get(ref) ?? null;
        if (from === null || from === commit) continue;
        world.remote?.set(ref, commit);
        world.pushes.push({ ref, from, to: commit });
      }
      return inner();
    }),
  },
  {
    breaks: 'S5',
    name: 'a sync is recorded that moved nothing',
    mutation: performing('commit-landing', async ({ intent, inner }) =>
      intent.sync === true ? { kind: 'landed', run: intent.run, commit: intent.commit } : inner(),
    ),
  },
  {
    breaks: 'S6',
    name: 'a sync takes the tree of the target as it is',
    mutation: performing('build-landing', async ({ intent, inner, world }) => {
      if (intent.sync !== true) return inner();
      const { run, onto, tip, date } = intent;
      const { tree } = world.git.look(tip);
      const commit = world.git.commit(tree, [onto, tip], `sync ${date}`);
      return { kind: 'landing-built', run, date, commit, tree };
    }),
  },
  {
    breaks: 'S4',
    name: 'nobody is told of lines that a resolution removed',
    mutation: performing('judge', async ({ inner }) => {
      const outcome = await inner();
      if (outcome === null || !('kind' in outcome) || outcome.kind !== 'judged') return outcome;
      const { resolved: _, ...judged } = outcome;
      return judged;
    }),
  },
];
