/** Merging and landing against git itself: which gates had to pass, what moved, and what the result changed. */
import type { Event, TreeGate } from '../src/core/events.ts';
import type { Ground } from './ground.ts';
import { lostLines, mayChange } from './effects-gates.ts';
import { treeKey, type RunBook, type WorkerBook } from './books.ts';

/** The worker's own gates passed on its own tree, and all its change gates on its tip. */
export function requireGates(ground: Ground, run: RunBook, worker: WorkerBook, tree: string): void {
  for (const gate of verifyOf(run, worker)) requirePass(ground, run, tree, gate);
  requireChange(ground, run, worker);
}

export function requireMerge(
  ground: Ground,
  run: RunBook,
  worker: WorkerBook,
  event: Extract<Event, { type: 'worker.merged' }>,
): void {
  const { world, require } = ground;
  const { commit, tree, base, tip } = event.data;
  const made = world.git.look(commit);
  require('S5', base === run.tip &&
    made.parents[0] === base &&
    made.parents[1] === tip &&
    made.tree === tree, () =>
    `${commit} is no merge of ${tip} on ${base}, where integration stands at ${run.tip}`);
  const ref = `refs/czar/integration/${run.id}`;
  const tested = event.data.tested ?? { commit, tree };
  require('S4', event.data.tested === undefined || run.batches, () =>
    `${commit} entered on a test of ${tested.commit}`);
  require('S5', world.git.isAncestor(commit, tested.commit), () =>
    `${tested.commit} was tested and does not hold ${commit}`);
  const moves = world.git.moves.filter((move) => move.ref === ref && move.to === tested.commit);
  const from = baseOfBatch(run, tested.commit) ?? base;
  require('S5', moves.length === 1 && [from, null].includes(moves[0]?.from ?? null), () =>
    `integration was moved to ${tested.commit} ${moves.length} times, from ${moves[0]?.from}`);
  require('S4', tip === worker.work?.tip, () =>
    `${tip} is merged and ${worker.work?.tip} was judged`);
  requireChange(ground, run, worker);
  const theirs = othersLost(ground, run, worker, { tip, base });
  requireReview(ground, worker, tip, theirs !== null);
  const { checks } = run.plan.policies;
  const others = run.merged.flatMap((id) => {
    const other = run.workers.get(id);
    return other === undefined ? [] : verifyOf(run, other);
  });
  const gates = [
    ...verifyOf(run, worker),
    ...(theirs ?? []).flatMap((other) => verifyOf(run, other)),
    ...(checks.length > 0 ? checksOf(run) : others),
  ];
  for (const gate of gates) requirePass(ground, run, tested.tree, gate);
  requireUnion(ground, base, tip, commit);
}

/** Where integration stood before the batch that was tested as the commit; null when none of it has entered yet. */
function baseOfBatch(run: RunBook, commit: string): string | null {
  const first = run.merged.find((id) => run.workers.get(id)?.merged?.tested?.commit === commit);
  return first === undefined ? null : (run.workers.get(first)?.merged?.base ?? null);
}

export function requireLanding(
  ground: Ground,
  run: RunBook,
  event: Extract<Event, { type: 'run.landed' }>,
): void {
  const { world, require } = ground;
  const { landing } = run;
  const { commit, target } = event.data;
  require('S5', landing !== null && landing.commit === commit && landing.target === target, () =>
    `${commit} landed on ${target} and ${landing?.commit} was built`);
  if (landing === null) return;
  const made = world.git.look(commit);
  const follows =
    landing.mode === 'ff'
      ? world.git.isAncestor(landing.onto, commit)
      : made.parents[0] === landing.onto;
  require('S5', follows, () => `${commit} does not follow ${landing.onto}`);
  const moves = world.git.moves.filter(
    (move) => move.place === 'user' && move.ref === `refs/heads/${target}` && move.to === commit,
  );
  require('S5', moves.length === 1 && moves[0]?.from === landing.onto, () =>
    `${target} was moved to ${commit} ${moves.length} times, from ${moves[0]?.from}`);
  for (const gate of landingGates(run)) requirePass(ground, run, made.tree, gate);
  requireUnion(ground, landing.onto, landing.tip, commit);
}

/**
 * Others whose lines are gone from a branch that resolved a conflict; null when no line is. Looked up in git, whatever the
 * log says of it.
 */
function othersLost(
  { world }: Ground,
  run: RunBook,
  { conflicted }: WorkerBook,
  { tip, base }: { readonly tip: string; readonly base: string },
): readonly WorkerBook[] | null {
  if (conflicted === null || conflicted === tip) return null;
  const found = lostLines(world.git, { was: conflicted, tip, integration: base });
  if (found === null || found.lost.length === 0) return null;
  world.coverage.hit('end', 'merged with lines of others removed');
  const others = run.merged.flatMap((id) => run.workers.get(id) ?? []);
  return others.filter(
    ({ work, merged }) =>
      merged !== null &&
      world.git.isAncestor(merged.commit, found.onto) &&
      work?.changed.some(({ path }) => found.lost.includes(path)),
  );
}

/** Enough reviewers approved this very tip, and nobody objected whom no person has overruled. */
function requireReview(
  { require }: Ground,
  worker: WorkerBook,
  tip: string,
  removes: boolean,
): void {
  // Who removed lines of others is looked at by somebody, unless a person was at it.
  const due = removes && !worker.submitted ? { quorum: 1 } : undefined;
  const review = worker.definition.review ?? due;
  if (review === undefined) return;
  const { hash } = worker.definition;
  const said = worker.reviews.filter((one) => one.tip === tip && one.definition === hash);
  const person = said.findLast((one) => one.by !== 'agent');
  const agents = said.filter((one) => one.by === 'agent');
  const approvals = agents.filter((one) => one.approves).length + (person === undefined ? 0 : 1);
  require('S4', approvals >= review.quorum, () =>
    `${worker.id} is merged with ${approvals} approvals of ${review.quorum}`);
  const objects = person === undefined ? agents.some((one) => !one.approves) : !person.approves;
  require('S4', !objects, () => `${worker.id} is merged against a reviewer`);
}

/** Every change gate passed, for the tip that is the work now, and the facts agree. */
function requireChange({ world, require }: Ground, run: RunBook, worker: WorkerBook): void {
  const { definition, work } = worker;
  const tip = work?.tip ?? '';
  const gates = ['deliverables', 'handoff', ...(work === null ? [] : ['ownership', 'protect'])];
  for (const gate of gates) {
    const last = worker.change.findLast((one) => one.gate === gate && one.tip === tip);
    require('S4', last?.result === 'pass', () =>
      `${worker.id} goes on at ${tip} and its ${gate} is ${last?.result ?? 'not judged'}`);
  }
  require('S4', definition.handoff !== 'required' || worker.handoff, () =>
    `${worker.id} goes on without its handoff`);
  if (work === null) return;
  const files = world.git.files(world.git.look(tip).tree);
  for (const path of definition.deliverables)
    require('S4', files.has(path), () => `${worker.id} goes on without ${path}`);
  for (const { path, before, after } of work.changed) {
    require('S4', mayChange(definition.owns, path), () => `${worker.id} goes on with ${path}`);
    if (!run.plan.policies.protect.includes(path)) continue;
    const approved = worker.approvals.some(
      (one) => one.path === path && one.patch === `${before}..${after}`,
    );
    require('S4', approved, () => `${worker.id} goes on with ${path}, which nobody approved`);
  }
}

/** The gate passed on the tree, in the log and in truth. */
export function requirePass(
  { world, require }: Ground,
  run: RunBook,
  tree: string,
  gate: Gate,
): void {
  const key = treeKey(tree, gate);
  require('S4', run.trees.get(key) === 'gate.passed' &&
    world.ran.get(key)?.has('pass') === true, () =>
    `${gate.command} did not pass on ${tree}: the log has ${run.trees.get(key) ?? 'nothing'}`);
}

/** Path by path: what the branch changed is as the branch has it, everything else as the target had it. */
export function requireUnion(
  { world, require }: Ground,
  onto: string,
  tip: string,
  result: string,
): void {
  const { git } = world;
  const filesOf = (commit: string): ReadonlyMap<string, string> => git.files(git.look(commit).tree);
  const base = filesOf(git.mergeBase(onto, tip));
  const target = filesOf(onto);
  const branch = filesOf(tip);
  const merged = filesOf(result);
  for (const path of new Set([
    ...base.keys(),
    ...target.keys(),
    ...branch.keys(),
    ...merged.keys(),
  ])) {
    const wanted = branch.get(path) === base.get(path) ? target.get(path) : branch.get(path);
    require('S6', merged.get(path) === wanted, () =>
      `${path} is ${merged.get(path)} in ${result} and should be ${wanted}`);
  }
}

type Gate = Pick<TreeGate, 'command' | 'setup'>;

function verifyOf(run: RunBook, { definition }: WorkerBook): readonly Gate[] {
  const setup = definition.setup.length > 0 ? definition.setup : run.plan.policies.setup;
  return definition.verify.map((command) => ({ command, setup }));
}

/** What a tree must pass that lands, or that the target enters: of all whose work it holds. */
export function landingGates(run: RunBook): readonly Gate[] {
  if (run.plan.policies.checks.length > 0) return checksOf(run);
  const most = run.landing?.sync === true ? Infinity : (run.landing?.members ?? Infinity);
  return run.merged.slice(0, most).flatMap((id) => {
    const worker = run.workers.get(id);
    return worker === undefined ? [] : verifyOf(run, worker);
  });
}

function checksOf(run: RunBook): readonly Gate[] {
  const { checks, setup } = run.plan.policies;
  return checks.map((command) => ({ command, setup }));
}
