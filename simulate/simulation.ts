/**
 * One seed, from the first request to the last: loops come and go over one log and one world. First a chaos of faults
 * and requests, then calm: from there on everything must come to rest, and what waits for a person gets its answer.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Plan } from '../src/core/plan.ts';
import { schedule } from '../src/core/schedule.ts';
import { describeRestless } from '../src/core/restless.ts';
import { describeIndex } from '../src/core/run-index.ts';
import { isRunLive, type RunState } from '../src/core/state.ts';
import { MemoryJournal } from '../src/journal/memory.ts';
import { reboot } from './attempts.ts';
import { Checker } from './checker.ts';
import { Coverage } from './coverage.ts';
import { Violation, type Invariant } from './invariants.ts';
import type { Mutation } from './mutation.ts';
import { Owners } from './owners.ts';
import { generatePlan } from './plan-gen.ts';
import { stream, type Random } from './random.ts';
import { beginUninstall, beside, homeRequest, offer, sync } from './homeward.ts';
import {
  anyRequest,
  commitOnTarget,
  land,
  missingOf,
  moveSomething,
  settlements,
  startRun,
} from './user.ts';
import { World } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** At most so many workers in a plan. */
  readonly workers?: number;
  /** At most so many moments of chaos. */
  readonly moments?: number;
  /** Kinds of faults, and `requests`, that do not happen. */
  readonly without?: ReadonlySet<string>;
  readonly trace?: boolean;
  readonly coverage?: Coverage;
  /** What is broken on purpose. */
  readonly mutation?: Mutation;
  /** One run of this plan, instead of one or two of plans from the seed. */
  readonly plan?: Plan;
  /** Sites at which the loop's process dies, one after the other, whatever the chaos does; `site#n` for the n-th time. */
  readonly kills?: readonly string[];
}

export interface SimulationResult {
  readonly seed: number;
  readonly failure: { readonly invariant: Invariant; readonly message: string } | null;
  /** Kills that were asked for at sites that nothing passed. */
  readonly notKilled: readonly string[];
  readonly trace: readonly string[];
  /** Chain hash of the log. */
  readonly head: string;
  readonly events: number;
  readonly steps: number;
  /** Virtual milliseconds. */
  readonly lasted: number;
}

const mostSteps = 30_000;
const rounds = 40;
/** Turns of the microtask queue that everything which follows at once is given. */
const settling = 24;
const settled = Promise.resolve();

/** Runs the simulation of a seed. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(options);
  return simulation.run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #world: World;
  readonly #checker: Checker;
  readonly #journal = new MemoryJournal();
  readonly #chaos: Random;
  readonly #agents: Random;
  readonly #home: Random;
  readonly #plans = new Map<string, Plan>();
  readonly #owners: Owners;
  #moments: number;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { seed, workers = 8, without = new Set(), trace = false, kills = [] } = options;
    const coverage = options.coverage ?? new Coverage();
    this.#world = new World({ seed, without, trace, coverage, kills });
    this.#checker = new Checker(this.#world);
    this.#chaos = stream(seed, 'chaos');
    this.#agents = stream(seed, 'agents');
    this.#home = stream(seed, 'home');
    this.#moments = Math.min(options.moments ?? Infinity, this.#chaos.pick([0, 15, 40, 100]));
    const runs = this.#chaos.chance(0.1) && options.plan === undefined ? 2 : 1;
    for (let n = 1; n <= runs; n += 1)
      this.#plans.set(`20261121-${n}`, options.plan ?? generatePlan(seed, String(n), workers));
    this.#owners = new Owners({
      world: this.#world,
      checker: this.#checker,
      journal: this.#journal,
      chaos: this.#chaos,
      mutation: options.mutation,
    });
  }

  async run(): Promise<SimulationResult> {
    try {
      await this.#live();
    } catch (error) {
      if (this.#owners.violation === null) this.#owners.broken(error);
    }
    this.#checker.flush();
    const failure = this.#owners.violation;
    const { hash, seq } = this.#journal.head();
    return {
      seed: this.#options.seed,
      failure: failure === null ? null : { invariant: failure.invariant, message: failure.message },
      notKilled: [...this.#world.faults.kills],
      trace: this.#world.trace ?? [],
      head: hash,
      events: seq,
      steps: this.#world.steps,
      lasted: this.#world.mono,
    };
  }

  async #live(): Promise<void> {
    this.#owners.start();
    this.#world.after(0, () => this.#moment());
    while (this.#moments > 0 && (await this.#step()));
    this.#calmDown();
    await this.#begin();
    if (this.#chaos.chance(0.2)) await this.#stopInTime();
    await this.#rest();
    await this.#settle();
    if (this.#home.chance(0.15)) this.#pruneBesides();
    await this.#rest();
    await this.#settle();
    for (const run of this.#plans.keys()) if (this.#home.chance(0.3)) await this.#offer(run);
    for (const run of this.#plans.keys()) {
      this.#owners.ask(land(this.#world, run, true));
      await this.#rest();
    }
    if (this.#chaos.chance(0.3)) {
      this.#owners.prune();
      await this.#rest();
    }
    await this.#restartAtRest();
  }

  /** Until every run is over. */
  async #settle(): Promise<void> {
    for (let round = 1; round <= rounds && this.#settleAll(round); round += 1) {
      await this.#rest();
      if (!this.#chaos.chance(0.1)) continue;
      this.#owners.prune();
      await this.#rest();
    }
    const open = [...this.#checker.ledger.runs.values()].filter(
      (run) => !['complete', 'failed', 'cancelled'].includes(run.state),
    );
    this.#checker.require('L2', open.length === 0, () => `${open[0]?.id} cannot be settled`);
  }

  /** A pull request, what is said of it, what comes of that, until somebody merges or closes it. */
  async #offer(run: string): Promise<void> {
    for (const step of offer(this.#world, this.#home)) {
      const state = this.#stateOf(run);
      if (state !== undefined) this.#owners.ask(step(state));
      await this.#rest();
      await this.#settle();
    }
  }

  /** The time by the clock of the loop, which does not jump. */
  #now(): number {
    return this.#owners.current()?.now() ?? this.#world.wall;
  }

  #stateOf(run: string): RunState | undefined {
    return this.#owners.current()?.loop.state.runs.get(run);
  }

  /** One happening, everything that follows from it at once, and the checks. */
  async #step(): Promise<boolean> {
    if (!this.#world.next()) return false;
    for (let n = 0; n < settling; n += 1) await settled;
    if (this.#owners.violation !== null) throw this.#owners.violation;
    this.#checker.step();
    if (this.#world.steps > mostSteps)
      throw new Violation('L2', `it does not come to rest in ${mostSteps} steps`);
    return true;
  }

  async #rest(): Promise<void> {
    while (await this.#step());
    this.#checker.atRest(this.#now());
  }

  /** One moment of the chaos. */
  #moment(): void {
    if (this.#world.calm) return;
    this.#moments -= 1;
    const chaos = this.#chaos;
    this.#world.after(chaos.pick([1, 50, 500, 3_000, 15_000, 60_000]), () => this.#moment());
    const asks = chaos.chance(0.5);
    for (const [run, plan] of this.#plans)
      if (!this.#checker.ledger.runs.has(run)) this.#owners.ask(startRun(this.#world, run, plan));
    if (asks && this.#options.without?.has('requests') !== true) {
      const run = chaos.pick([...this.#plans.keys()]);
      const plan = this.#plans.get(run);
      if (plan !== undefined) {
        const request = beside(anyRequest(this.#world, run, plan), this.#stateOf(run));
        this.#owners.ask(request);
        if (chaos.chance(0.15)) this.#owners.ask(request);
      }
    }
    if (this.#chaos.chance(0.05)) this.#pruneBesides();
    if (this.#options.without?.has('requests') !== true) this.#homewards();
    this.#installSomething();
    this.#strike();
  }

  /** Somebody brings a run home, or changes its limits; at times the same is asked twice. */
  #homewards(): void {
    const run = this.#stateOf(this.#home.pick([...this.#plans.keys()]));
    if (run === undefined || !this.#home.chance(0.25)) return;
    const request = homeRequest(this.#world, this.#home, run);
    this.#owners.ask(request);
    if (this.#home.chance(0.15)) this.#owners.ask(request);
  }

  /** What old runs hold is deleted, and often somebody takes one of them up just then. */
  #pruneBesides(): void {
    this.#owners.prune();
    const run = this.#chaos.pick([...this.#plans.keys()]);
    if (this.#chaos.chance(0.8))
      this.#world.after(this.#chaos.pick([1, 5, 20, 40, 100]), () =>
        this.#owners.ask({ kind: 'retry-failed', run }),
      );
  }

  /** Agents come and go where plans have several; a person who goes on with a run tells the loop. */
  #installSomething(): void {
    for (const [run, plan] of this.#plans) {
      if (Object.keys(plan.agents).length === 1 || !this.#agents.chance(0.1)) continue;
      const agents = missingOf(plan, this.#agents);
      this.#owners.ask({ kind: 'set-missing-agents', run, agents });
    }
  }

  #strike(): void {
    const world = this.#world;
    const { faults } = world;
    const often = (kind: Parameters<typeof faults.strikes>[0]): boolean => {
      for (let n = 0; n < 8; n += 1) if (faults.strikes(kind, 'any moment')) return true;
      return false;
    };
    const owner = this.#owners.current();
    if (often('clock-jump')) {
      world.jumps += 1;
      world.wallOffset += this.#chaos.pick([-3_600_000, -5_000, 5_000, 3_600_000, 86_400_000]);
    }
    if (often('user-moves')) world.say(`user moves ${moveSomething(world, this.#chaos)}`);
    if (often('reboot')) {
      world.say('reboot');
      for (const one of this.#owners.all) this.#owners.crash(one, 'reboot');
      reboot(world);
    }
    if (owner === undefined) return;
    if (often('kill')) this.#owners.crash(owner, 'killed');
    if (often('second-owner') && !owner.dead) this.#owners.start();
    if (often('restart') && !owner.dead) this.#owners.restart(owner, this.#chaos.chance(0.5));
  }

  #calmDown(): void {
    const world = this.#world;
    world.say('calm');
    world.calm = true;
    world.relieve();
    world.faults.active = false;
    const [...owners] = this.#owners.all;
    const last = this.#owners.current();
    for (const owner of owners)
      if (owner !== last || owner.draining) this.#owners.crash(owner, 'calm');
    if (this.#owners.current() === undefined) this.#owners.start();
  }

  /** Starts the runs that the chaos did not let begin. */
  async #begin(): Promise<void> {
    while (this.#owners.current()?.begun !== true && (await this.#step()));
    for (const [run, plan] of this.#plans)
      if (!this.#checker.ledger.runs.has(run)) this.#owners.ask(startRun(this.#world, run, plan));
  }

  /** L4: everything that lives ends in time. */
  async #stopInTime(): Promise<void> {
    for (let n = this.#chaos.below(200); n > 0 && (await this.#step()); n -= 1);
    const owner = this.#owners.current();
    if (owner === undefined) return;
    // What was slow before the calm goes on: a launch is carried through before it is stopped.
    while (owner.slow > 0 && (await this.#step()));
    owner.draining = true;
    owner.loop.stop();
    const grace = Math.max(...[...this.#plans.values()].map((plan) => plan.policies.graceMs));
    const until = this.#world.mono + grace + 5_000;
    let over = false;
    this.#world.after(grace + 5_000, () => {
      over = true;
    });
    while (!over && this.#world.mono <= until && (await this.#step()));
    this.#checker.noProcess('L4');
    this.#owners.crash(owner, 'it was stopped');
  }

  /** Answers everything that waits; false when nothing does. */
  #settleAll(round: number): boolean {
    const state = this.#owners.current()?.loop.state;
    const now = this.#now();
    let asked = false;
    for (const run of state?.runs.values() ?? []) {
      if (run.state === 'failed' && round < 10 && this.#chaos.chance(0.5)) {
        this.#owners.ask({ kind: 'retry-failed', run: run.id });
        asked = true;
      }
      if (!isRunLive(run)) continue;
      if (this.#home.chance(0.1)) {
        if (this.#home.chance(0.7)) commitOnTarget(this.#world);
        this.#owners.ask(sync(this.#world, run.id));
      }
      if (run.state === 'paused') {
        this.#owners.ask({ kind: 'resume', run: run.id, worker: null });
        asked = true;
        continue;
      }
      if (state === undefined) continue;
      for (const request of settlements(this.#world, { state, run, now }, round)) {
        this.#owners.ask(request);
        asked = true;
      }
    }
    return asked;
  }

  /** An uninstall that was begun while no loop lived, and killed: whoever comes next goes on. */
  async #uninstallHalf(): Promise<void> {
    const owner = this.#owners.current();
    if (owner === undefined) return;
    this.#owners.crash(owner, 'it is uninstalled');
    this.#checker.alone(beginUninstall(this.#journal, this.#world.wall));
    await this.#rest();
  }

  /** L5 and S10: a new loop on a state at rest finds nothing to do. */
  async #restartAtRest(): Promise<void> {
    const { require } = this.#checker;
    if (this.#home.chance(0.1)) await this.#uninstallHalf();
    const before = this.#owners.current();
    if (before === undefined) throw new Violation('L5', 'no loop is left');
    const loaded = this.#journal.load();
    const same = this.#world.seed % 4 !== 0 || isDeepStrictEqual(loaded, before.loop.state);
    require('S10', same, () => 'state and log differ');
    for (const run of before.loop.state.runs.values()) {
      const { kept, fresh } = describeIndex(run);
      require('S10', isDeepStrictEqual(kept, fresh), () => 'the index of the workers is not true');
    }
    const restless = describeRestless(before.loop.state);
    require('S10', isDeepStrictEqual(restless.kept, restless.fresh), () => 'a run is not at rest');
    this.#world.faults.killing = false;
    const keys = (state: Parameters<typeof schedule>[0]): string =>
      (this.#options.mutation?.rules?.schedule ?? schedule)(state, {
        now: this.#world.wall,
        stopping: false,
      })
        .intents.map((intent) => intent.key)
        .join();
    require('A2', keys(loaded) === keys(before.loop.state), () => 'the intents differ');
    const { seq } = this.#journal.head();
    this.#checker.begunSince = 0;
    this.#owners.crash(before, 'it was restarted at rest');
    await this.#rest();
    const more = this.#journal.head().seq - seq;
    require('L5', more === 1, () => `${more} events after a restart at rest`);
    const effects = this.#checker.begunSince;
    require('L5', effects === 0, () => `${effects} effects after a restart at rest`);
  }
}
