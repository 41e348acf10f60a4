/** What providers have no more of for now: an agent that was turned away is not started for anybody until it is over. */
import { restlessRuns } from '../restless.ts';
import { workersIn } from '../run-index.ts';
import { definitionOf, isRunLive, type RepositoryState } from '../state.ts';

interface TurnedAway {
  readonly agent: string;
  readonly until: number;
}

const known = new WeakMap<
  RepositoryState,
  { readonly seq: number; readonly away: readonly TurnedAway[] }
>();

/** Until when the agent is not started, since its provider turned somebody away; null when it may be. */
export function quotaUntil(state: RepositoryState, agent: string, now: number): number | null {
  const due = turnedAway(state).filter((one) => one.agent === agent && one.until > now);
  return due.length === 0 ? null : Math.max(...due.map(({ until }) => until));
}

/** Who was turned away, by workers that wait and by those that others took up: found once for each state. */
function turnedAway(state: RepositoryState): readonly TurnedAway[] {
  const found = known.get(state);
  if (found?.seq === state.seq) return found.away;
  const away = restlessRuns(state)
    .filter(isRunLive)
    .flatMap((run) => [
      ...workersIn(run, 'ready').flatMap(({ id, attempt, quotaInRow, notBefore }) =>
        quotaInRow === 0 || notBefore === null
          ? []
          : [{ agent: attempt?.agent?.name ?? definitionOf(run, id).agent.name, until: notBefore }],
      ),
      ...Object.entries(run.turnedAway).map(([agent, { until }]) => ({ agent, until })),
    ]);
  known.set(state, { seq: state.seq, away });
  return away;
}
