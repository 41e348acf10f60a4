/** What is known of an attempt when its processes are gone. */
import { readdirSync } from 'node:fs';
import { attemptFiles, type AttemptFiles } from '../../agents/attempt-files.ts';
import { judgeEnd } from '../../agents/judge-end.ts';
import type { Outcome } from '../../core/commands.ts';
import type { AttemptEnd } from '../../core/events.ts';
import { attemptLimitsOf } from '../../core/attempt-limits.ts';
import { definitionOf, type RunState, type WorkerState } from '../../core/state.ts';
import { judgeEmptyWorkspace } from '../../gates/empty-workspace.ts';
import { authorIn } from '../../git/collecting/czar-files.ts';
import { adapterOf } from './agent-of.ts';
import { endRest } from './work.ts';
import { treeOf, type Workplace } from '../workplace.ts';

/** Names an attempt. */
export interface AttemptRef {
  readonly run: string;
  readonly worker: string;
  readonly attempt: number;
}

/** Only what names the attempt. */
export function attemptOf({ run, worker, attempt }: AttemptRef): AttemptRef {
  return { run, worker, attempt };
}

/** Where the files of the attempt are. */
export function filesOf(place: Workplace, { run, worker, attempt }: AttemptRef): AttemptFiles {
  return attemptFiles({ home: place.git.home, run, worker, attempt });
}

/** Where the files of a review are: those of an attempt, in a folder of its own. */
export function reviewFiles(
  place: Workplace,
  { run, worker, n }: { readonly run: string; readonly worker: string; readonly n: number },
): AttemptFiles {
  return attemptFiles({ home: place.git.home, run, worker, attempt: `review-${n}` });
}

/** Its end, with what it said last. */
export function ended(
  run: RunState,
  intent: AttemptRef,
  files: AttemptFiles,
  end: AttemptEnd,
): Extract<Outcome, { kind: 'attempt-ended' }> {
  const limits = attemptLimitsOf(definitionOf(run, intent.worker));
  const adapter = adapterOf(run, intent.worker);
  return {
    kind: 'attempt-ended',
    ...attemptOf(intent),
    end,
    ...judgeEnd(adapter, files, { end, limits, now: Date.now() }),
  };
}

/**
 * The rest of an attempt that had no repository, ended well, left no file, said nothing and promised nothing: it is
 * known at once, without a durable step between. Null when anything of that does not hold.
 */
export async function leftNothing(
  place: Workplace,
  intent: AttemptRef,
  {
    run,
    worker,
    outcome,
    spoke,
  }: {
    readonly run: RunState;
    readonly worker: WorkerState;
    readonly outcome: Extract<Outcome, { kind: 'attempt-ended' }>;
    /** Reads what is left of its reports, and tells whether there ever were any. */
    readonly spoke: () => Promise<boolean>;
  },
): Promise<readonly Outcome[] | null> {
  const definition = definitionOf(run, intent.worker);
  const promised = definition.deliverables.length > 0 || definition.handoff === 'required';
  if (definition.workspace !== 'empty' || promised || outcome.judgement.kind !== 'well')
    return null;
  const dir = treeOf(place, worker) ?? '';
  if (!(await endRest(place, run, worker, intent))) return null;
  if ((await spoke()) || readdirSync(dir).some((name) => authorIn(dir, name) !== 'czar'))
    return null;
  const verdicts = await judgeEmptyWorkspace({ definition, dir, handoffGiven: false });
  return [
    outcome,
    { kind: 'collected', ...attemptOf(intent), work: null, kept: [] },
    { kind: 'judged', run: intent.run, worker: intent.worker, verdicts },
  ];
}
