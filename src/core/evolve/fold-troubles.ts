/** Failures of effects, as far as they still count: parts of the fold. */
import { answerKey } from '../intent-key.ts';
import type { IntentKind } from '../intents.ts';
import type { RunState } from '../state.ts';

type Run = Pick<RunState, 'id' | 'troubles'>;

/** The run's own effects of these kinds are over: what failed on the way is not counted against later ones. */
export function settled(run: Run, ...kinds: readonly IntentKind[]): Pick<RunState, 'troubles'> {
  const over = (key: string): boolean =>
    kinds.some((kind) => key.startsWith(`${run.id}/${kind}:`) && (key.split(':')[1] ?? '') === '');
  return {
    troubles: Object.fromEntries(Object.entries(run.troubles).filter(([key]) => !over(key))),
  };
}

/** What failed of a worker's step is over with that step. */
export function forgetTroubles(
  run: Run,
  worker: string | undefined,
): Pick<RunState, 'troubles'> | null {
  const mine = Object.keys(run.troubles).filter((key) => key.split(':')[1] === worker);
  if (mine.length === 0) return null;
  return { troubles: without(run.troubles, Object.fromEntries(mine.map((key) => [key, true]))) };
}

/** What failed of bringing an answer to a worker is over with that answer. */
export function forgetAnswer(
  run: RunState,
  id: string | undefined,
  ask: string,
): Pick<RunState, 'troubles'> | null {
  const worker = run.workers.get(id ?? '');
  const key = worker === undefined ? '' : answerKey(run, worker, ask);
  return key in run.troubles ? { troubles: without(run.troubles, { [key]: true }) } : null;
}

/** A record without some of its names. */
export function without<T>(
  record: Readonly<Record<string, T>>,
  names: Readonly<Record<string, unknown>>,
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !(name in names)));
}
