/**
 * Sending a worker back to its agent with what was found wrong: into the same session, branch and tree, so many times,
 * and then it waits for a person.
 */
import type { Block, BlockKind, NewEvent } from './events.ts';
import type { RunState, WorkerState } from './state.ts';

/** How often findings send a worker back where nothing else is said. */
export const usualRework = 3;

/** What an agent can mend by itself. */
const mendable: ReadonlySet<BlockKind> = new Set(['gate', 'conflict', 'review', 'nothing_changed']);

/** How often findings may send a worker of the run back. */
export function maxRework(run: Pick<RunState, 'plan'>): number {
  return run.plan.policies.maxRework ?? usualRework;
}

/** Back to its agent with the findings, or blocked with them when that is a person's business. */
export function sentBack(run: RunState, worker: WorkerState, block: Block): NewEvent {
  const why = isForPerson(run, worker, block);
  if (why !== null) {
    const text = why === '' ? block.text : `${block.text} (${why})`;
    const told = { ...block, text };
    return {
      type: 'worker.blocked',
      data: { from: worker.state, reason: text, block: told, blockedBy: null },
    };
  }
  const round = worker.reworksUsed + 1;
  return {
    type: 'worker.ready',
    data: {
      from: worker.state,
      reason: `sent back (${round} of ${maxRework(run)}): ${block.text}`,
      notBefore: null,
      counts: 'rework',
      tree: 'continue',
      rework: block,
    },
  };
}

/** Why a person is asked, to be added to what is wrong ('' when that says it itself); null when the agent is. */
function isForPerson(run: RunState, worker: WorkerState, { kind }: Block): string | null {
  // What a person handed in is theirs to mend.
  if (!mendable.has(kind) || worker.submitted || worker.attempt === null) return '';
  const used = worker.reworksUsed;
  if (kind === 'nothing_changed') {
    const since = worker.reworks.slice(worker.reworks.length - used);
    if (since.some((one) => one.kind === 'nothing_changed')) return '';
  }
  if (used < maxRework(run)) return null;
  return used === 0 ? '' : `sent back ${used === 1 ? 'once' : `${used} times`} before`;
}
