/**
 * Where a paused worker goes when it is resumed: back to what blocked it while that is open, to its gates when its last
 * attempt ended well, else as its edges say. What is continued (branch, tree) is a property of the next attempt.
 */
import { edgeState, supersededBy, unsatisfied } from '../edges.ts';
import type { Block, NewEvent, Principal } from '../events.ts';
import { pathsOpen } from '../protect.ts';
import { definitionOf, type RunState, type WorkerState } from '../state.ts';

/** The event that takes the paused worker up again. */
export function resumed(run: RunState, worker: WorkerState, by: Principal): NewEvent {
  const place = { run: run.id, worker: worker.id };
  return { ...target(run, worker, by), ...place };
}

function target(run: RunState, worker: WorkerState, by: Principal): NewEvent {
  if (worker.block !== null) return afterBlock(run, worker, worker.block, by);
  switch (worker.from) {
    case 'starting':
    case 'active':
      return afterStop(run, worker, by);
    case 'verifying':
    // Approvals of the same tip still hold when its gates have been looked at.
    case 'reviewing':
      return verifying(worker, by);
    case 'merging':
      return merging(run, worker, by);
    case 'ready':
      return ready(run, worker, by, {
        // A person who resumes it thinks that there is quota again.
        notBefore: worker.quotaInRow > 0 ? null : worker.notBefore,
        clean: worker.nextClean,
      });
    case 'pending':
    case 'blocked':
    case 'paused':
    case 'complete':
    case 'failed':
    case 'skipped':
    case 'cancelled':
    case null:
      return pending(worker, by);
  }
}

/** Its attempt was stopped, or ended while it was to be. */
function afterStop(run: RunState, worker: WorkerState, by: Principal): NewEvent {
  const { attempt } = worker;
  if (attempt?.phase === 'collected') {
    if (attempt.stopWord !== null) {
      const { kind, text } = attempt.stopWord;
      return blocked({ kind, step: 'attempt', text, findings: [], files: [] }, null, by);
    }
    if (attempt.judgement?.kind === 'well') return verifying(worker, by);
  }
  // A tree that was not made yet is made as it was to be.
  const clean = attempt?.phase === 'tree' && worker.nextClean;
  return ready(run, worker, by, { notBefore: null, clean });
}

function afterBlock(run: RunState, worker: WorkerState, block: Block, by: Principal): NewEvent {
  if (block.kind === 'dependency') return afterFailure(run, worker, block, by);
  if (block.kind === 'protect' && pathsOpen(worker, block.files).length === 0)
    return verifying(worker, by);
  return blocked(block, null, by);
}

/** Blocked by failure when it was paused: the failure may have been settled, and another one have come. */
function afterFailure(run: RunState, worker: WorkerState, block: Block, by: Principal): NewEvent {
  const root = block.step === 'merging' ? rootOfMerge(run, worker) : rootOfEdges(run, worker.id);
  if (root !== null) return blocked({ ...block, text: `blocked by ${root}` }, root, by);
  return block.step === 'merging' ? merging(run, worker, by) : pending(worker, by);
}

function rootOfMerge(run: RunState, worker: WorkerState): string | null {
  const dependency = supersededBy(run, worker);
  if (dependency === null) return null;
  const failed = dependency.state === 'failed' || dependency.state === 'cancelled';
  const root = failed ? dependency.id : dependency.blockedBy;
  const cause = root === null ? undefined : run.workers.get(root);
  return cause?.state === 'failed' || cause?.state === 'cancelled' ? root : null;
}

function rootOfEdges(run: RunState, id: string): string | null {
  for (const edge of definitionOf(run, id).edges) {
    const now = edgeState(run, edge);
    if (now.kind === 'failed') return now.root;
  }
  return null;
}

function entered(by: Principal): { readonly from: 'paused'; readonly reason: string } {
  return { from: 'paused', reason: by === 'user' ? 'resumed' : 'resumed with its run' };
}

function verifying(worker: WorkerState, by: Principal): NewEvent {
  const submitted = worker.submitted && worker.attempt?.phase !== 'collected';
  return { type: 'worker.verifying', data: { ...entered(by), submitted } };
}

/** To its merge, unless its definition has changed since it was judged: then its gates are looked at anew. */
function merging(run: RunState, worker: WorkerState, by: Principal): NewEvent {
  const { hash } = definitionOf(run, worker.id);
  return worker.verdicts.every((verdict) => verdict.definition === hash)
    ? { type: 'worker.merging', data: entered(by) }
    : verifying(worker, by);
}

/** Nothing counts: neither a failed attempt nor a lost one, and those before are still counted. */
function ready(
  run: RunState,
  worker: WorkerState,
  by: Principal,
  { notBefore, clean }: { readonly notBefore: number | null; readonly clean: boolean },
): NewEvent {
  if (unsatisfied(run, worker.id).length > 0) return pending({ ...worker, nextClean: clean }, by);
  const tree = clean ? 'clean' : 'continue';
  return {
    type: 'worker.ready',
    data: { ...entered(by), notBefore, counts: 'interrupted', tree },
  };
}

function pending(worker: WorkerState, by: Principal): NewEvent {
  return {
    type: 'worker.pending',
    data: { ...entered(by), by, note: null, clean: worker.nextClean },
  };
}

function blocked(block: Block, blockedBy: string | null, by: Principal): NewEvent {
  return { type: 'worker.blocked', data: { ...entered(by), reason: block.text, block, blockedBy } };
}
