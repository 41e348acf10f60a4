/** What to type about a worker that stands still. */
import { openAsks } from '../core/asks.ts';
import { isUsedUp, workerAccount } from '../core/budget.ts';
import { offeredAs } from '../core/isolation.ts';
import { awaitsReviewer } from '../core/review.ts';
import { awaitsApproval, type RunState, type WorkerState } from '../core/state.ts';

/** The command that deals with what keeps a worker, and why there is none when nothing does. */
export function nextCommand(run: RunState, worker: WorkerState): string | null {
  const { id, block } = worker;
  if (worker.blockedBy !== null) {
    const root = run.workers.get(worker.blockedBy);
    return root === undefined || root.id === id ? null : nextCommand(run, root);
  }
  if (worker.state === 'failed' && isUsedUp(workerAccount(run, worker)))
    return `czar budget ${id} --add TOKENS, then czar retry ${id}`;
  if (worker.state === 'failed' || worker.state === 'cancelled') return `czar retry ${id}`;
  if (run.state === 'paused' && (worker.pausedWithRun || worker.state === 'ready'))
    return 'czar resume';
  if (worker.state === 'paused') return `czar resume ${id}`;
  if (awaitsApproval(run, worker)) return `czar approve ${id}`;
  const [ask] = openAsks(worker);
  if (ask?.what.kind === 'question') return `czar answer ${id}/${ask.id} TEXT`;
  if (ask !== undefined) return `czar approve ${id}/${ask.id}`;
  if (awaitsReviewer(run, worker)) return `czar review ${id} --approve`;
  if (worker.state === 'ready' && isUsedUp(workerAccount(run, worker)))
    return `czar budget ${id} --add TOKENS`;
  if (worker.state !== 'blocked') return null;
  if (lacksHandoff(worker)) return handoffCommand(id);
  switch (block?.kind) {
    case 'budget':
      return `czar budget ${id} --add TOKENS`;
    case 'question':
      return `czar answer ${id} TEXT`;
    case 'blocker':
      return `czar unblock ${id} -m TEXT`;
    case 'denied':
      return `czar approve ${id}`;
    case 'protect':
      return (block.files.length === 0 ? ['P'] : block.files)
        .map((path) => `czar approve ${id} --path ${quoted(path)}`)
        .join(' && ');
    case 'conflict':
      // Without a file in the way there is nothing to resolve: its history is not that of the run.
      return block.files.length === 0
        ? `czar retry ${id} --clean`
        : (resolvingCommand(run, worker) ?? `czar retry ${id}`);
    case 'review':
    case 'gate':
    case 'nothing_changed':
      return `czar submit ${id} after mending it in ${worker.worktree ?? 'its tree'}, or czar retry ${id}`;
    case 'dependency':
    case 'inputs':
    case 'when':
    case 'lost':
    case 'infrastructure':
    case undefined:
      return `czar unblock ${id}`;
    case 'inconclusive':
      return block.step === 'reviewing' ? `czar review ${id}` : `czar unblock ${id}`;
  }
}

function resolvingCommand(run: RunState, { id, worktree }: WorkerState): string | null {
  return worktree === null
    ? null
    : `cd ${quoted(worktree)} && git merge ${offeredAs(run)}; then czar submit ${id}`;
}

/** Commands that settle what the worker waits for a person with, each by itself; words in capitals are to be filled in. */
export function settlingCommands(run: RunState, worker: WorkerState): readonly string[] {
  const { id, block } = worker;
  if (awaitsApproval(run, worker)) return [`czar approve ${id}`, `czar deny ${id}`];
  if (awaitsReviewer(run, worker))
    return [
      `czar diff ${id}`,
      `czar review ${id} --approve`,
      `czar review ${id} --request-changes -m TEXT`,
    ];
  if (worker.state !== 'blocked') return [nextCommand(run, worker) ?? `czar why ${id}`];
  if (lacksHandoff(worker)) return [handoffCommand(id)];
  const resolving = [resolvingCommand(run, worker)].filter((command) => command !== null);
  switch (block?.kind) {
    case 'question':
      return [`czar answer ${id} TEXT`];
    case 'blocker':
      return [`czar answer ${id} TEXT`, `czar unblock ${id}`];
    case 'budget':
      return [`czar budget ${id} --add TOKENS`];
    case 'denied':
      return [`czar approve ${id}`, `czar skip ${id}`];
    case 'conflict':
      return block.files.length === 0
        ? [`czar retry ${id} --clean`, ...resolving]
        : [...resolving, `czar retry ${id}`];
    case 'review':
      return [`czar review ${id} --approve`, `czar retry ${id} -m TEXT`];
    case 'gate':
    case 'nothing_changed':
      return [`czar retry ${id} -m TEXT`, `czar submit ${id}`];
    case 'inconclusive':
      return block.step === 'reviewing'
        ? [`czar review ${id} --approve`, `czar unblock ${id}`]
        : [`czar unblock ${id}`];
    case 'protect':
    case 'dependency':
    case 'inputs':
    case 'when':
    case 'lost':
    case 'infrastructure':
    case undefined:
      return [nextCommand(run, worker) ?? `czar unblock ${id}`];
  }
}

/** Whether it was blocked for want of a handoff: only an attempt gives one, nothing that a person makes of its tree does. */
function lacksHandoff({ block, verdicts }: WorkerState): boolean {
  if (block?.kind !== 'gate') return false;
  return verdicts.some(({ gate, result }) => gate === 'handoff' && result === 'fail');
}

function handoffCommand(id: string): string {
  return `czar retry ${id} -m "hand off with czar emit handoff"`;
}

/** Quoted for a POSIX shell where that is needed. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
