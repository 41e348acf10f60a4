/**
 * Whether a worker's gates are through, and where it goes then. Reads verdicts, never makes them. What does not pass
 * goes back with the findings word for word: to the agent, or to a person.
 */
import { culprit, stranded } from './schedule/merge-chain.ts';
import { branchGates, landGates, objections, openGates } from './tree-gates.ts';
import type {
  BlockKind,
  BlockStep,
  ChangeVerdict,
  KeptWork,
  NewEvent,
  TreeVerdict,
} from './events.ts';
import { landingRefused } from './landing-refused.ts';
import { reviewOf } from './resolution.ts';
import { sentBack } from './rework.ts';
import { definitionOf, type RunState, type WorkerState } from './state.ts';

/** Commit that the worker's change verdicts are bound to; '' in an empty workspace. */
export function tipOf(worker: WorkerState): string {
  return worker.work?.tip ?? '';
}

/** Tree that its `verify` judges; of an empty workspace a name that nothing else has. */
export function treeOf(worker: WorkerState): string {
  return worker.work?.tree ?? `workspace:${worker.id}:${worker.attempt?.n ?? 0}:${worker.since}`;
}

/** Verdicts on the change as it stands now, of the worker as it is defined now. */
export function changeVerdicts(run: RunState, worker: WorkerState): readonly ChangeVerdict[] {
  const { hash } = definitionOf(run, worker.id);
  return worker.verdicts.filter(
    (verdict) => verdict.tip === tipOf(worker) && verdict.definition === hash,
  );
}

/** Whether the work is at home and all change gates passed, so that `verify` may run. */
export function changePassed(run: RunState, worker: WorkerState): boolean {
  const verdicts = changeVerdicts(run, worker);
  return (
    worker.state === 'verifying' &&
    worker.attempt?.phase === 'collected' &&
    verdicts.length > 0 &&
    verdicts.every((verdict) => verdict.result === 'pass')
  );
}

/** verifying → reviewing, merging, complete, ready or blocked, once every gate before the review has its verdict. */
export function verifyingOutcome(run: RunState, worker: WorkerState): NewEvent | null {
  if (worker.state !== 'verifying' || worker.attempt?.phase !== 'collected') return null;
  const change = changeVerdicts(run, worker);
  if (change.length === 0) return null;
  const loose = worker.work?.kept.filter(isLoose) ?? [];
  if (loose.length > 0) return notCollected(run, worker, loose);
  const nothing = worker.work !== null && worker.work.patch === '';
  const refused = change.filter((verdict) => verdict.result !== 'pass');
  if (refused.length > 0) {
    return nothing
      ? nothingChanged(run, worker, refused)
      : refusal(run, worker, 'verifying', refused);
  }
  const gates = branchGates(run, worker.id);
  const tree = treeOf(worker);
  if (openGates(run, gates, tree).length > 0) return null;
  const red = objections(run, gates, tree);
  if (red.length > 0) return refusal(run, worker, 'verifying', red);
  if (worker.work === null) {
    return {
      type: 'worker.complete',
      data: { from: 'verifying', reason: 'its gates passed', noChange: false },
    };
  }
  if (nothing) {
    const { deliverables, verify } = definitionOf(run, worker.id);
    if (deliverables.length > 0 && verify.length === 0) return nothingChanged(run, worker, []);
    return {
      type: 'worker.complete',
      data: { from: 'verifying', reason: 'nothing to merge', noChange: true },
    };
  }
  const review = reviewOf(run, worker);
  const passed = { from: 'verifying', reason: 'its gates passed' } as const;
  if (review === undefined) return { type: 'worker.merging', data: passed };
  return {
    type: 'worker.reviewing',
    data: review.person ? { ...passed, person: true } : passed,
  };
}

/** merging → ready or blocked, when a gate of the combined tree does not pass because of the worker's merge. */
export function mergingOutcome(run: RunState): readonly NewEvent[] {
  const found = culprit(run);
  if (found?.worker.merge?.built == null) return [];
  const { worker, gates } = found;
  const red = objections(run, gates, found.worker.merge.built.tree);
  return [{ ...refusal(run, worker, 'merging', red), run: run.id, worker: worker.id }];
}

/** Merges that stand on what will not be integration are given up: they are built anew. */
export function strandedMerges(run: RunState): readonly NewEvent[] {
  return stranded(run).map(({ id }) => ({
    type: 'merge.abandoned',
    run: run.id,
    worker: id,
    data: { reason: 'a candidate ahead of it did not pass or was withdrawn' },
  }));
}

/** The refusal that is due when a gate of the landing tree does not pass; null when none is. */
export function landingOutcome(run: RunState): NewEvent | null {
  if (run.landing?.built == null) return null;
  const sync = run.landing.sync === true;
  const red = objections(run, landGates(run), run.landing.built.tree);
  const [first] = red;
  if (first === undefined) return null;
  const reason = `${first.gate} ${first.result === 'fail' ? 'failed' : 'gave no verdict'} on the ${sync ? 'combined tree' : 'tree that would land'}: ${first.command}`;
  return landingRefused(run, { reason: [reason, ...first.findings].join('\n'), files: [] });
}

/** Whether it holds work that no branch has: files, or the repository of a tree whose commits could not be read. */
function isLoose({ files, leftOut }: KeptWork): boolean {
  return files.length > 0 || leftOut.some(({ path }) => path === '.git');
}

/** The agent ended well, but what it left could not be made part of its branch: its work is not what the branch holds. */
function notCollected(run: RunState, worker: WorkerState, kept: readonly KeptWork[]): NewEvent {
  return sentBack(run, worker, {
    kind: 'gate',
    step: 'verifying',
    text: 'work in its tree is not part of its branch',
    findings: kept.map(({ why, ref }) => `${why} (${ref})`),
    files: kept.flatMap(({ files }) => files),
  });
}

/** Files or commands that one sentence names. */
const subjectsNamed = 3;

function nothingChanged(
  run: RunState,
  worker: WorkerState,
  refused: readonly ChangeVerdict[],
): NewEvent {
  const findings = refused.flatMap((verdict) => verdict.findings);
  return sentBack(run, worker, {
    kind: 'nothing_changed',
    step: 'attempt',
    text: 'nothing changed',
    findings,
    files: [],
  });
}

function refusal(
  run: RunState,
  worker: WorkerState,
  step: BlockStep,
  refused: readonly (ChangeVerdict | TreeVerdict)[],
): NewEvent {
  const failed = refused.filter((verdict) => verdict.result === 'fail');
  const shown = failed.length > 0 ? failed : refused;
  const onTree = step === 'merging' ? ' on the combined tree' : '';
  const names = [...new Set(shown.map((verdict) => verdict.gate))].join(', ');
  const what = failed.length > 0 ? 'failed' : 'gave no verdict';
  return sentBack(run, worker, {
    kind: kindOf(shown),
    step,
    text: `${names} ${what}${onTree}: ${subjects(shown)}`,
    findings: shown.flatMap((verdict) => verdict.findings),
    files: [...new Set(shown.flatMap((verdict) => ('files' in verdict ? verdict.files : [])))],
  });
}

/** What the verdicts are about: files, or the commands that judged. */
function subjects(shown: readonly (ChangeVerdict | TreeVerdict)[]): string {
  const about = shown.flatMap((verdict) =>
    'command' in verdict
      ? [verdict.command]
      : verdict.files.length > 0
        ? verdict.files
        : verdict.findings.slice(0, 1),
  );
  const all = [...new Set(about)];
  const more = all.length - subjectsNamed;
  return `${all.slice(0, subjectsNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Protect is a question to a person only when nothing else is red. */
function kindOf(refused: readonly (ChangeVerdict | TreeVerdict)[]): BlockKind {
  if (refused.every((verdict) => verdict.result === 'inconclusive')) return 'inconclusive';
  return refused.every((verdict) => verdict.gate === 'protect') ? 'protect' : 'gate';
}
