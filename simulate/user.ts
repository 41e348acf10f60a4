/**
 * The people: in the chaos they ask anything at any time, sense or nonsense, often twice; afterwards they settle what
 * waits for them. They also move branches behind czar's back.
 */
import type { Request } from '../src/core/commands.ts';
import type { Plan } from '../src/core/plan.ts';
import { isUsedUp, lacksBudget, workerAccount } from '../src/core/budget.ts';
import { reviewLacksBudget } from '../src/core/review.ts';
import { waitsForPerson } from '../src/core/run-outcome.ts';
import type { RepositoryState, RunState, WorkerState } from '../src/core/state.ts';
import { stream, type Random } from './random.ts';
import { isDirty } from './effects-tree.ts';
import type { World } from './world.ts';

/** The request that begins a run of the plan. */
export function startRun(world: World, run: string, plan: Plan): Request {
  return {
    kind: 'start-run',
    run,
    plan,
    base: { ref: 'main', commit: world.git.user.get('refs/heads/main') ?? '', dirty: 0 },
    integration: `czar/${run}-integration`,
    target: 'main',
    scope: null,
    approve: isAskedAbout(world, run),
    missing: missingOf(plan, stream(world.seed, `installed ${run}`)),
  };
}

/** Agents of the plan that are not installed; in most worlds all are. */
export function missingOf(plan: Plan, random: Random): readonly string[] {
  if (!random.chance(0.3)) return [];
  return Object.keys(plan.agents).filter(() => random.chance(0.4));
}

/** Whether a person wants to be asked about every launch of the run; the same each time it is started. */
function isAskedAbout({ seed }: World, run: string): boolean {
  return (seed + run.length + run.charCodeAt(run.length - 1)) % 9 === 0;
}

/** Anything: of a worker that may not exist, in a state that may not allow it. */
export function anyRequest(world: World, run: string, plan: Plan): Request {
  const { user } = world;
  const workers = plan.workers.map((one) => one.id);
  const worker = user.chance(0.03) ? 'nobody' : user.pick(workers);
  const place = { run: user.chance(0.02) ? 'no-run' : run, worker };
  switch (user.below(29)) {
    case 0:
    case 1:
      return {
        kind: 'retry',
        ...place,
        note: user.chance(0.5) ? 'again' : null,
        clean: user.chance(0.4),
      };
    case 2:
      return { kind: 'retry-failed', run: place.run };
    case 3:
      return submit(world, place);
    case 4:
      return { kind: 'skip', ...place, satisfy: user.chance(0.5) };
    case 5:
      return { kind: 'cancel', ...place };
    case 6:
      return user.chance(0.25)
        ? { kind: 'cancel', run: place.run, worker: null }
        : { kind: 'cancel', ...place };
    case 7:
    case 8:
      return { kind: 'answer', ...place, text: 'this way' };
    case 9:
    case 10:
      return { kind: 'unblock', ...place, note: user.chance(0.5) ? 'go on' : null };
    case 11:
      return { kind: 'approve-path', ...place, path: user.pick(['guard.yml', 'shared.txt']) };
    case 12:
    case 13:
      return { kind: 'pause', run: place.run, worker: user.chance(0.3) ? null : worker };
    case 14:
    case 15:
      return { kind: 'resume', run: place.run, worker: user.chance(0.4) ? null : worker };
    case 16:
      return { kind: 'tell', ...place, text: 'mind the gap' };
    case 17:
      return amend(world, place.run, plan);
    case 18:
    case 19:
      return { kind: 'approve', run: place.run, workers: several(user, worker, workers) };
    case 20:
      return { kind: 'deny', run: place.run, workers: several(user, worker, workers), why: null };
    case 21:
      return { kind: 'set-approval', run: place.run, approve: user.chance(0.4) };
    case 22:
      return land(world, place.run, true);
    case 24:
      return reviewing(world, place);
    case 25:
      return { kind: 'make-tree', ...place, there: world.treeOf(run, worker) !== undefined };
    case 26:
      return removeTree(world, place);
    case 27:
      return dropKept(world, place);
    case 23:
      return raise(place.run, user.pick([worker, 'run', 'day']));
    default:
      return startRun(world, run, plan);
  }
}

/** One worker, two, or all that ask. */
function several(
  user: Random,
  worker: string,
  workers: readonly string[],
): readonly string[] | null {
  if (user.chance(0.4)) return null;
  return user.chance(0.3) ? [worker, user.pick(workers)] : [worker];
}

function submit(world: World, place: { readonly run: string; readonly worker: string }): Request {
  const tree = world.treeOf(place.run, place.worker);
  return {
    kind: 'submit',
    ...place,
    tree: {
      exists: tree !== undefined,
      unfinished: world.user.chance(0.1) ? 'a merge is under way' : null,
    },
  };
}

function removeTree(
  world: World,
  place: { readonly run: string; readonly worker: string },
): Request {
  const tree = world.treeOf(place.run, place.worker);
  const merged = world.integration(place.run);
  const open =
    tree !== undefined &&
    (isDirty(world, tree) || merged === null || !world.git.isAncestor(tree.head, merged));
  const there = tree !== undefined;
  const force = world.user.chance(0.5);
  return { kind: 'remove-tree', ...place, force, there, holds: open ? 'some of it' : null };
}

function dropKept(world: World, place: { readonly run: string; readonly worker: string }): Request {
  const prefix = `refs/czar/kept/${place.run}/${place.worker}/`;
  const kept = [...world.git.mirror.keys()].filter((ref) => ref.startsWith(prefix));
  const ref = kept.length === 0 ? `${prefix}1` : world.user.pick(kept);
  const merged = world.integration(place.run);
  const commit = world.git.mirror.get(ref);
  const elsewhere = merged !== null && commit !== undefined && world.git.isAncestor(commit, merged);
  return { kind: 'drop-kept', ...place, ref, force: world.user.chance(0.6), elsewhere };
}

function reviewing(
  world: World,
  place: { readonly run: string; readonly worker: string },
): Request {
  const approves = world.user.chance(0.75);
  return {
    kind: 'review',
    ...place,
    result: approves ? 'approve' : 'changes_requested',
    tip: null,
    text: approves ? '' : 'not like this',
    findings: [],
  };
}

/** More tokens for a worker, the run or the day. */
function raise(run: string, who: string): Request {
  const scope = who === 'run' || who === 'day' ? who : 'worker';
  const worker = scope === 'worker' ? who : null;
  return { kind: 'raise-budget', run, scope, worker, tokens: 20_000, costUsd: 0 };
}

/** Takes a worker that nothing depends on out of the plan, or puts it back, or changes what another is told. */
function amend(world: World, run: string, plan: Plan): Request {
  const { user } = world;
  const on = new Set(plan.workers.flatMap(({ edges }) => edges.map((edge) => edge.on)));
  const loose = plan.workers.filter(({ id }) => !on.has(id) && plan.workers.length > 1);
  const gone = user.chance(0.4) && loose.length > 0 ? user.pick(loose).id : null;
  const changed = user.chance(0.6) ? user.pick(plan.workers).id : null;
  const edition = user.below(3);
  const workers = plan.workers
    .filter(({ id }) => id !== gone)
    .map((one) => (one.id === changed ? { ...one, hash: `${one.hash}-${edition}` } : one));
  const revision = `${plan.revision}-${gone ?? ''}-${changed ?? ''}-${edition}`;
  return { kind: 'amend', run, plan: { ...plan, workers, revision }, scope: null };
}

export function land(world: World, run: string, partial: boolean): Request {
  return {
    kind: 'land',
    run,
    target: 'main',
    mode: world.user.pick(['merge', 'merge', 'squash', 'ff'] as const),
    partial,
    onto: world.git.user.get('refs/heads/main') ?? '',
  };
}

/** What a person of goodwill asks for the workers of a run: money where it lacks, and an answer to each that waits. */
export function* settlements(
  world: World,
  at: { readonly state: RepositoryState; readonly run: RunState; readonly now: number },
  round: number,
): Generator<Request> {
  const { run } = at;
  for (const worker of run.workers.values()) {
    const isPoor = worker.state === 'ready' ? lacksBudget : reviewLacksBudget;
    if (isPoor(at, worker)) {
      const own = isUsedUp(workerAccount(run, worker));
      for (const who of own ? [worker.id] : ['run', 'day']) yield raise(run.id, who);
    }
    if (waitsForPerson(run, worker)) yield settle(world, run, worker, round);
  }
}

/** What is asked for one that waits; the longer it takes, the less patient. */
function settle(world: World, run: RunState, worker: WorkerState, round: number): Request {
  const { user } = world;
  const place = { run: run.id, worker: worker.id };
  if (round > 8 || user.chance(0.05))
    // One that is being reviewed cannot be skipped.
    return worker.state !== 'reviewing' && user.chance(0.7)
      ? { kind: 'skip', ...place, satisfy: user.chance(0.7) }
      : { kind: 'cancel', ...place };
  if (worker.state === 'active') return settleAsk(world, run, worker);
  if (worker.state === 'paused') return { kind: 'resume', ...place };
  if (worker.state === 'reviewing') return reviewing(world, place);
  const retry: Request = { kind: 'retry', ...place, note: 'once more', clean: user.chance(0.2) };
  if (worker.state === 'ready' && user.chance(0.1))
    return { kind: 'deny', run: run.id, workers: [worker.id], why: 'not this way' };
  if (worker.state === 'ready' || worker.block?.kind === 'denied')
    return { kind: 'approve', run: run.id, workers: user.chance(0.3) ? null : [worker.id] };
  switch (worker.block?.kind) {
    case 'budget':
      return raise(run.id, worker.id);
    case 'question':
    case 'blocker':
      return user.chance(0.9) ? { kind: 'answer', ...place, text: 'so' } : retry;
    case 'protect': {
      const [path = ''] = worker.block.files.filter(
        (file) =>
          !worker.approvals.some((one) => one.path === file && isOf(worker, file, one.patch)),
      );
      return user.chance(0.9) ? { kind: 'approve-path', ...place, path } : retry;
    }
    case 'conflict':
    case 'review':
    case 'gate':
    case 'nothing_changed':
    case 'lost':
      return user.chance(0.85) ? retry : { kind: 'unblock', ...place, note: null };
    case 'inconclusive':
    case 'infrastructure':
      return user.chance(0.85) ? { kind: 'unblock', ...place, note: null } : retry;
    case 'inputs':
    case 'when':
    case 'dependency':
    case undefined:
      return user.chance(0.5) ? retry : { kind: 'skip', ...place, satisfy: true };
  }
}

/** Of what its attempt waits with, the first. */
function settleAsk({ user }: World, run: RunState, worker: WorkerState): Request {
  const ask = worker.attempt?.asks.find(({ answer }) => answer === null);
  const place = { run: run.id, worker: worker.id };
  if (ask?.what.kind === 'question') return { kind: 'answer', ...place, text: 'here' };
  const workers = user.chance(0.3) ? null : [`${worker.id}/${ask?.id}`];
  return user.chance(0.7)
    ? { kind: 'approve', run: run.id, workers }
    : { kind: 'deny', run: run.id, workers, why: 'not that' };
}

function isOf(worker: WorkerState, path: string, patch: string): boolean {
  const changed = worker.work?.changed.find((one) => one.path === path);
  return changed !== undefined && `${changed.before}..${changed.after}` === patch;
}

/** The user commits on the target, or moves a branch of the run. */
export function moveSomething(world: World, random: Random): string {
  const { git } = world;
  const branches = [...git.user.keys()].filter((ref) => ref.startsWith('refs/heads/'));
  const ref = random.chance(0.7) ? 'refs/heads/main' : random.pick(branches);
  commitOn(world, random, ref);
  return ref;
}

/** The user commits on the target. */
export function commitOnTarget(world: World): void {
  commitOn(world, world.user, 'refs/heads/main');
}

function commitOn(world: World, random: Random, ref: string): void {
  const { git } = world;
  const head = git.user.get(ref) ?? '';
  const files = new Map(git.files(git.look(head).tree));
  files.set(random.pick(['README.md', 'user.txt', 'shared.txt']), world.blob());
  git.move('user', ref, git.commit(git.tree(files), [head], `user ${world.mono}`));
}
