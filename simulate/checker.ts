/**
 * Checks every step: each batch of events as it becomes durable, each effect as it begins, the process table and the
 * refs as they change. It keeps a book of its own and asks the core nothing.
 */
import type { Performed } from '../src/daemon/loop.ts';
import type { Event } from '../src/core/events.ts';
import type { Intent } from '../src/core/intents.ts';
import type { AttemptFolder } from './attempts.ts';
import { checkPush } from './checks-home.ts';
import { checkRemoved } from './checks-prune.ts';
import { checkEvent } from './checks-log.ts';
import type { Ground } from './ground.ts';
import { agentFor, claimHolder, foreignHolder, heldByBarrier } from './obstacles.ts';
import { requiring, type Require } from './invariants.ts';
import { isLive, isOver, mustAsk, saidOf, type RunBook, type WorkerBook } from './books.ts';
import { isReserved, spaceFor } from './resource-book.ts';
import { Ledger, prunedKey } from './ledger.ts';
import { justification } from './justify.ts';
import type { RefMove } from './git.ts';
import type { Owner, World, Worktree } from './world.ts';

interface InFlight {
  readonly intent: Intent;
  readonly signal: AbortSignal;
}

export class Checker {
  readonly ledger = new Ledger();
  readonly require: Require;
  /** Hands the counts of checks over to the coverage. */
  readonly flush: () => void;
  /** Effects begun since it was last asked; refs that were left alone are tried once more by each loop. */
  begunSince = 0;
  readonly #world: World;
  readonly #ground: Ground;
  readonly #epochs = new Map<number, number>();
  readonly #flights = new Map<number, Map<string, InFlight>>();
  #moves = 0;
  #pushes = 0;
  /** The highest limits that were changed: who has a slot keeps it when the limit falls, and when the loop starts anew. */
  #most = { live: 0, checks: 0 };
  #pids = 0;

  constructor(world: World) {
    this.#world = world;
    ({ require: this.require, flush: this.flush } = requiring(world.coverage));
    this.#ground = { world, ledger: this.ledger, require: this.require };
    world.onReplace = (tree) => this.#replaced(tree);
  }

  /** Whether the owner's loop is the one that may append. */
  reigns(owner: Owner): boolean {
    return this.#epochs.get(owner.id) === this.ledger.epoch;
  }

  begun(owner: Owner, intent: Intent, signal: AbortSignal): void {
    if (intent.kind !== 'publish') this.begunSince += 1;
    const mine = this.#flights.get(owner.id) ?? new Map<string, InFlight>();
    this.#flights.set(owner.id, mine);
    this.require('A3', !mine.has(intent.key), () => `${intent.key} is under way twice`);
    mine.set(intent.key, { intent, signal });
    if (!this.reigns(owner)) return;
    const why = justification(this.ledger, intent);
    this.require('S14', why === null, () => `${intent.key}: ${why}`);
  }

  over(owner: Owner, intent: Intent, _performed: Performed): void {
    this.#flights.get(owner.id)?.delete(intent.key);
  }

  gone(owner: Owner): void {
    this.#flights.delete(owner.id);
  }

  /** A batch that became durable. */
  batch(owner: Owner, events: readonly Event[], draining: boolean): void {
    for (const event of events) {
      this.#world.coverage.hit('event', event.type);
      this.#world.say('event', event.seq, event.type, event.worker ?? '');
      if (event.type === 'loop.started') {
        this.require(
          'S12',
          event.data.epoch === this.ledger.epoch + 1,
          () => `epoch ${event.data.epoch} after ${this.ledger.epoch}`,
        );
        this.#epochs.set(owner.id, event.data.epoch);
      } else {
        this.require('S12', this.reigns(owner), () => `loop ${owner.id} appends ${event.type}`);
      }
      checkEvent(this.#ground, event);
      if (event.type === 'limits.changed') this.#most = this.#limits();
      this.ledger.apply(event);
    }
    const last = events.at(-1);
    if (last === undefined) return;
    this.#checkLive(owner);
    if (!draining) this.#checkReady(last.at);
  }

  /** An event that was appended while no loop lived. */
  alone(event: Event): void {
    this.#world.coverage.hit('event', event.type);
    this.#world.say('event', event.seq, event.type);
    checkEvent(this.#ground, event);
    this.ledger.apply(event);
  }

  /** After every step of the world. */
  step(): void {
    const { git, pushes } = this.#world;
    for (; this.#pushes < pushes.length; this.#pushes += 1) {
      const push = pushes[this.#pushes];
      if (push !== undefined) checkPush(this.#ground, push);
    }
    for (; this.#moves < git.moves.length; this.#moves += 1) {
      const move = git.moves[this.#moves];
      if (move === undefined || move.from === null) continue;
      if (move.to === null) {
        checkRemoved(this.#ground, { ...move, from: move.from });
        continue;
      }
      if (move.ref.startsWith('refs/czar/kept/'))
        this.require('A6', false, () => `${move.ref} moved from ${move.from} to ${move.to}`);
      if (move.ref.startsWith('refs/czar/integration/'))
        this.require(
          'A6',
          git.isAncestor(move.from, move.to) || this.#isStray(move),
          () => `${move.ref} dropped ${move.from}`,
        );
    }
    if (this.#pids === this.#world.pids) return;
    this.#pids = this.#world.pids;
    this.#checkProcesses();
  }

  /** Whether it was put back where the log has it, and what it stood at is held. */
  #isStray({ ref, from, to }: RefMove): boolean {
    const run = ref.slice('refs/czar/integration/'.length);
    const { mirror } = this.#world.git;
    return (
      to === this.ledger.run(run)?.tip && mirror.get(`refs/czar/stray/${run}/${from}`) === from
    );
  }

  #checkProcesses(): void {
    const seen = new Map<string, string>();
    for (const folder of this.#world.attempts.values()) {
      if (!folder.alive) continue;
      const worker = `${folder.run}/${folder.worker}`;
      const other = seen.get(worker);
      this.require('S1', other === undefined, () => `${other} and ${folder.key} live together`);
      this.require('S1', folder.spawned === 1, () => `${folder.key} was started twice`);
      seen.set(worker, folder.key);
    }
  }

  /** No process belongs to a worker that has none in the log, and the checks that run have slots. */
  #checkLive(owner: Owner): void {
    for (const folder of this.#world.attempts.values()) {
      if (!folder.alive) continue;
      const worker = this.ledger.run(folder.run)?.workers.get(folder.worker);
      const known = worker !== undefined && isLive(worker) && worker.attempt === folder.n;
      this.require(
        'S1',
        known,
        () => `${folder.key} lives and its worker is ${worker?.state} at ${worker?.attempt}`,
      );
    }
    const checks = this.#checksOf(owner);
    const most = this.#limits();
    this.require('P1', checks <= most.checks, () => `${checks} checks run side by side`);
    const live = this.ledger.live();
    this.require('P1', live <= most.live, () => `${live} attempts live`);
  }

  #limits(): { live: number; checks: number } {
    const policies = [...this.ledger.runs.values()].map(({ plan }) => plan.policies);
    return {
      live: Math.max(this.#most.live, ...policies.map(({ maxParallel }) => maxParallel)),
      checks: Math.max(
        this.#most.checks,
        ...policies.map(({ maxParallelChecks }) => maxParallelChecks),
      ),
    };
  }

  /** Checks of the loop that go on. */
  #checksOf(owner: Owner): number {
    return [...(this.#flights.get(owner.id)?.values() ?? [])].filter(
      ({ intent, signal }) => !signal.aborted && this.#needsCheckSlot(intent),
    ).length;
  }

  #needsCheckSlot(intent: Intent): boolean {
    // Somebody waits for a landing: its check begins though every slot is taken.
    if (intent.kind === 'check') return intent.subject !== 'land';
    if (intent.kind !== 'setup') return false;
    const run = this.ledger.run(intent.run);
    const own = run?.workers.get(intent.worker)?.definition.setup.length ?? 0;
    return own > 0 || (run?.plan.policies.setup.length ?? 0) > 0;
  }

  #checkReady(now: number): void {
    for (const run of this.ledger.runs.values()) {
      if (run.tip === null || run.cancelling || !['running', 'waiting'].includes(run.state))
        continue;
      for (const worker of run.workers.values()) {
        if (worker.state !== 'ready') continue;
        this.require(
          'L1',
          this.#obstacle(run, worker, now),
          () => `${worker.id} is ready, nothing is in its way, and it does not start`,
        );
      }
    }
  }

  #obstacle(run: RunBook, worker: WorkerBook, now: number): boolean {
    return (
      worker.notBefore > now ||
      agentFor(this.ledger.runs.values(), run, worker, now).away ||
      this.ledger.live() >= run.plan.policies.maxParallel ||
      (!worker.inputsChecked && worker.definition.edges.some((edge) => edge.inputs.length > 0)) ||
      heldByBarrier(run, worker) ||
      (mustAsk(run, worker) && saidOf(run, worker) === 'requested') ||
      claimHolder(run, worker) !== null ||
      foreignHolder(this.ledger.runs.values(), run, worker) !== null ||
      this.#lacksResource(run, worker, now) ||
      this.ledger.budgets.refusal(this.ledger.runs.values(), run, worker.id, now) !== null
    );
  }

  #lacksResource(run: RunBook, worker: WorkerBook, now: number): boolean {
    const { resources, runs } = this.ledger;
    // On the way up a twentieth more must be free.
    if (this.#world.free < spaceFor(run, worker) * 1.05) return true;
    if (worker.definition.resources === undefined) return false;
    return (
      resources.refusal(runs.values(), run, worker, now) !== null ||
      isReserved(runs.values(), worker, now)
    );
  }

  /** What the inbox says of an attempt that is silent, against the book. */
  silent(folder: AttemptFolder, told: boolean): void {
    const worker = this.ledger.run(folder.run)?.workers.get(folder.worker);
    const stall = worker?.definition.stall;
    // When the wall clock was set, what it shows is no measure.
    if (worker === undefined || stall === undefined || this.#world.jumps > 0) return;
    const runs = worker.state === 'active' && worker.phase === 'running' && !worker.stopAsked;
    const waits = [...worker.asks.values()].some(({ answer }) => answer === null);
    const long = this.#world.wall - worker.since >= stall.afterMs;
    const due = runs && worker.attempt === folder.n && long && !waits;
    this.require(
      'P18',
      told === due,
      () => `${folder.key} is silent and the inbox ${told ? 'has' : 'lacks'} it`,
    );
    this.#world.coverage.hit(
      'end',
      told ? 'stall told' : waits ? 'silent for a person' : 'stall not due',
    );
  }

  #replaced(tree: Worktree): void {
    const { git } = this.#world;
    const lost = [...tree.made].find((commit) => !git.isHeld(commit));
    this.require('S8', lost === undefined, () => `the tree of ${tree.worker} goes with ${lost}`);
    const files = git.tree(tree.files);
    if (git.look(tree.head).tree === files) return;
    const isStored = (commit: string): boolean => git.look(commit).tree === files;
    // What was kept of it may have gone since: a prune says which commits.
    const stored =
      [...git.mirror.values()].some(isStored) || [...this.ledger.prunedCommits()].some(isStored);
    this.require('S8', stored, () => `the tree of ${tree.worker} goes with uncommitted files`);
  }

  /** When nothing is left to do: every run is over or waits for a person who can tell why. */
  atRest(now: number): void {
    for (const run of this.ledger.runs.values()) {
      const workers = [...run.workers.values()];
      const where = (): string =>
        `${run.id} is ${run.state}: ${workers.map((one) => `${one.id}=${one.state}`).join(' ')}`;
      const open = workers.filter((one) => !isOver(one));
      for (const worker of open) {
        const waits = [...worker.superseded].some((id) => !isDone(run.workers.get(id)));
        this.require('L3', worker.state !== 'merging' || waits, where);
      }
      this.require('L2', run.state !== 'running', where);
      const { budgets, runs } = this.ledger;
      const isPoor = (id: string): boolean => budgets.refusal(runs.values(), run, id, now) !== null;
      const told = open.some(
        (one) =>
          one.state === 'paused' ||
          one.block !== null ||
          (one.state === 'reviewing' && mayWait(one)) ||
          (one.state === 'ready' &&
            (isPoor(one.id) ||
              saidOf(run, one) === 'requested' ||
              foreignHolder(runs.values(), run, one) !== null)),
      );
      this.require('L2', run.state !== 'waiting' || told, where);
      const standing = ['pending', 'blocked', 'paused', 'merging', 'ready'];
      const stand = open.every(
        (one) => standing.includes(one.state) || (one.state === 'reviewing' && mayWait(one)),
      );
      this.require('L2', stand || run.tip === null, where);
      this.require('L3', run.landing === null, () => `${run.id} is being landed for ever`);
    }
    this.#checkKept();
    this.noProcess('L6');
  }

  /** What the log says is kept under a name stands there, unless a prune took it. */
  #checkKept(): void {
    const { mirror } = this.#world.git;
    for (const run of this.ledger.runs.values())
      for (const worker of run.workers.values())
        for (const [ref, commit] of new Map(worker.kept.map((one) => [one.ref, one.commit]))) {
          // A name that a prune made free may be that of later work.
          if (this.ledger.pruned.has(prunedKey({ in: 'mirror', ref, commit }))) continue;
          const found = mirror.get(ref) ?? commit;
          this.require(
            'S14',
            found === commit,
            () => `${ref} is at ${found}, the log says ${commit}`,
          );
        }
  }

  noProcess(invariant: 'L4' | 'L6'): void {
    const alive = [...this.#world.attempts.values()].find((folder) => folder.alive);
    this.require(invariant, alive === undefined, () => `${alive?.key} lives`);
    const reviewer = [...this.#world.reviewers.values()].find((one) => one.alive);
    this.require(invariant, reviewer === undefined, () => `${reviewer?.key} lives`);
  }
}

/** Whether its review may wait for a person, or for money. */
function mayWait({ definition, removes, reviewing }: WorkerBook): boolean {
  return (definition.review !== undefined || removes) && reviewing === null;
}

function isDone(worker: WorkerBook | undefined): boolean {
  return worker?.state === 'complete' || worker?.state === 'skipped';
}
