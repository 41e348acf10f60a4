/** Which durable events every effect needs before it: read from the checker's book, not from the core. */
import type { Intent } from '../src/core/intents.ts';
import { treeKey, type RunBook, type WorkerBook } from './books.ts';
import { type Ledger } from './ledger.ts';

/** What is missing in the log for the effect; null when nothing is. */
export function justification(ledger: Ledger, intent: Intent): string | null {
  const run = ledger.run(intent.run);
  if (run === undefined) return 'there is no such run';
  const worker =
    'worker' in intent && intent.worker !== null ? run.workers.get(intent.worker) : undefined;
  switch (intent.kind) {
    case 'prepare-run':
      return run.tip === null ? null : 'it is prepared';
    case 'publish':
    case 'push':
      return (
        Object.entries(intent.refs)
          .map(([ref, commit]) => known(run, ref, commit))
          .find((why) => why !== null) ?? null
      );
    case 'build-landing':
      return (run.landing?.sync === true ? run.tip : run.landing?.onto) === intent.onto &&
        run.landing?.tip === intent.tip
        ? null
        : 'it was not asked for';
    case 'commit-landing':
      return run.landing?.commit === intent.commit ? admitted(run, intent) : 'it was not built';
    case 'check':
      if (intent.subject === 'land')
        return run.landing?.commit === intent.commit ? null : 'it was not built';
      if (intent.subject === 'merge')
        return worker?.merge?.commit === intent.commit ? null : 'it was not built';
      return worker?.state === 'verifying' && worker.phase === 'collected'
        ? null
        : 'nothing to check';
    case 'check-inputs':
      return worker?.state === 'ready' ? null : 'it is not ready';
    case 'tend-tree':
      return run.tending.get(intent.worker) === intent.want ? null : 'nobody asked for it';
    case 'prepare-tree':
    case 'setup':
    case 'launch': {
      const phase = { 'prepare-tree': 'tree', setup: 'setup', launch: 'launch' }[intent.kind];
      return worker?.state === 'starting' && worker.phase === phase && ofAttempt(worker, intent)
        ? null
        : `its worker is ${worker?.state} at ${worker?.phase} of ${worker?.attempt}`;
    }
    case 'answer':
      return ofAnswer(worker, intent);
    case 'watch':
    case 'stop':
      return liveAttempt(worker, intent);
    case 'collect':
      return worker !== undefined &&
        (worker.state === 'active' || worker.state === 'verifying') &&
        worker.phase === 'ended' &&
        ofAttempt(worker, intent)
        ? null
        : 'there is nothing to collect';
    case 'teardown':
      return worker?.state === 'active' &&
        worker.phase === 'collected' &&
        worker.definition.teardown.length > 0 &&
        ofAttempt(worker, intent)
        ? null
        : 'there is nothing to tear down';
    case 'judge':
      return worker?.state === 'verifying' && worker.phase === 'collected'
        ? null
        : 'nothing to judge';
    case 'review':
      return worker?.state === 'reviewing' && worker.reviewing === intent.n
        ? null
        : 'its review was not begun';
    case 'end-review':
      return worker?.reviewing === intent.n ? null : 'no review of it goes on';
    case 'build-merge':
      return worker?.merge != null &&
        worker.merge.tip === intent.tip &&
        worker.merge.base === intent.base
        ? null
        : 'it was not begun';
    case 'commit-merge':
      return worker?.merge?.commit === intent.commit ? admitted(run, intent) : 'it was not built';
  }
}

/** S14: what is told to an agent was durably answered so, and not told yet. */
function ofAnswer(
  worker: WorkerBook | undefined,
  intent: Extract<Intent, { kind: 'answer' }>,
): string | null {
  if (worker === undefined || !ofAttempt(worker, intent)) return 'it is another attempt';
  if (worker.state !== 'active' || worker.phase !== 'running')
    return `its worker is ${worker.state}`;
  const asked = worker.asks.get(intent.id);
  if (asked?.answer !== intent.decision) return `${intent.id} was answered ${asked?.answer}`;
  return asked.delivered ? `${intent.id} is delivered` : null;
}

function ofAttempt(worker: WorkerBook, intent: { readonly attempt: number }): boolean {
  return worker.attempt === intent.attempt;
}

function liveAttempt(
  worker: WorkerBook | undefined,
  intent: Extract<Intent, { kind: 'watch' | 'stop' }>,
): string | null {
  if (worker === undefined || !ofAttempt(worker, intent)) return 'it is another attempt';
  const running = worker.state === 'active' && worker.phase === 'running';
  const launching =
    intent.kind === 'stop' && worker.state === 'starting' && worker.phase === 'launch';
  if (!running && !launching) return `its worker is ${worker.state}`;
  if (intent.kind === 'watch') return null;
  if (intent.why === 'requested' && !worker.stopAsked) return 'nobody asked for a stop';
  if (intent.why === 'timeout' && worker.definition.timeoutMs === null)
    return 'it has no time limit';
  return null;
}

/** S4 before the deed: the verdicts that are handed over are passes for this very tree, and the log has them. */
function admitted(
  run: RunBook,
  intent: Extract<Intent, { kind: 'commit-merge' | 'commit-landing' }>,
): string | null {
  for (const verdict of intent.admission.trees) {
    if (verdict.result !== 'pass' || verdict.tree !== intent.tree)
      return 'a verdict is of another tree';
    if (run.trees.get(treeKey(verdict.tree, verdict)) !== 'gate.passed')
      return 'a verdict is not in the log';
  }
  return null;
}

function known(run: RunBook, ref: string, commit: string): string | null {
  if (commit === run.tip || run.landed.has(`${ref} ${commit}`)) return null;
  for (const worker of run.workers.values()) {
    if (worker.work?.tip === commit) return null;
    if (worker.dropped.some((one) => one.ref === ref && one.commit === commit)) return null;
    if (worker.kept.some((kept) => kept.ref === ref && kept.commit === commit)) return null;
  }
  return `${ref} at ${commit} is in no event`;
}
