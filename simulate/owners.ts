/**
 * The loops over one log: started, killed, fenced, told to end, and followed by others. What one of them does that
 * nothing allows is the simulation's violation.
 */
import type { Request } from '../src/core/commands.ts';
import type { Answer } from '../src/daemon/answer.ts';
import { Loop, type Rules } from '../src/daemon/loop.ts';
import { steadyClock, type SteadyClock } from '../src/daemon/steady-clock.ts';
import { JournalError, type Journal } from '../src/journal/journal.ts';
import type { Checker } from './checker.ts';
import { performer } from './effects.ts';
import { FaultyJournal } from './faulty-journal.ts';
import { Violation } from './invariants.ts';
import type { Mutation } from './mutation.ts';
import { evaluate } from './plan-gen.ts';
import { Pruning } from '../src/upkeep/pruning.ts';
import { deleter, retentionOf } from './prune.ts';
import { inboxEntries } from '../src/report/inbox.ts';
import type { AttemptFolder } from './attempts.ts';
import { simMachine } from './resource-book.ts';
import { stream, type Random } from './random.ts';
import type { Owner, World } from './world.ts';

export interface LiveOwner extends Owner {
  loop: Loop;
  /** What its clock shows. */
  now: () => number;
  pruning: Pruning;
  /** What begins, and what is deleted, comes one after the other. */
  turn: Promise<unknown>;
  /** It was told to end: it starts nothing more. */
  draining: boolean;
  /** Its loop has ended; its process follows. */
  ended: boolean;
  /** Its start is in the log. */
  begun: boolean;
}

export class Owners {
  readonly all = new Set<LiveOwner>();
  violation: Violation | null = null;
  readonly #world: World;
  readonly #checker: Checker;
  readonly #journal: Journal;
  readonly #chaos: Random;
  readonly #mutation: Mutation | undefined;
  readonly #stalls: Random;

  constructor(options: {
    readonly world: World;
    readonly checker: Checker;
    readonly journal: Journal;
    readonly chaos: Random;
    readonly mutation: Mutation | undefined;
  }) {
    this.#world = options.world;
    this.#checker = options.checker;
    this.#journal = options.journal;
    this.#chaos = options.chaos;
    this.#mutation = options.mutation;
    const { onReplace } = this.#world;
    this.#world.onReplace = (tree) => this.watched(() => onReplace(tree));
    this.#world.onCrash = (owner, why) => this.crash(owner, why);
    this.#world.onSilence = (folder) => this.#silent(folder);
    this.#stalls = stream(this.#world.seed, 'stalls');
  }

  /** Starts a loop; it counts once its start is in the log. */
  start(): void {
    const world = this.#world;
    world.loops += 1;
    const owner: LiveOwner = {
      id: world.loops,
      dead: false,
      making: Promise.resolve(),
      slow: 0,
      draining: false,
      ended: false,
      begun: false,
      loop: undefined as never,
      now: () => world.wall,
      pruning: undefined as never,
      turn: Promise.resolve(),
    };
    world.say(`loop ${owner.id} starts`);
    const guarded = (step: () => void) => (): void => {
      if (owner.dead) return;
      try {
        step();
        const { violation } = this;
        const { require } = this.#checker;
        require('P8', violation?.invariant !== 'P8', () => violation?.message ?? '');
      } catch (error) {
        this.broken(error);
      }
    };
    const stored = new FaultyJournal(this.#journal, world, (batch) =>
      this.watched(() => this.#checker.batch(owner, batch, owner.draining)),
    );
    const journal = this.#mutation?.journal?.(stored) ?? stored;
    const perform = performer(world, owner, {
      ear: {
        begun: (who, intent, signal) =>
          this.watched(() => this.#checker.begun(who, intent, signal)),
        over: (who, intent, outcome) => this.#checker.over(who, intent, outcome),
        threw: (_who, intent, error) => this.#threw(owner, intent.key, error),
      },
      resend: (outcome) => void owner.loop.send(outcome).catch(() => {}),
    });
    const rules: Rules | undefined = this.#mutation?.rules;
    const clock = this.#clock();
    owner.now = clock.now;
    owner.loop = new Loop({
      journal,
      perform: this.#mutation?.perform?.(perform, world) ?? perform,
      when: evaluate,
      machine: () => ({ ...simMachine, free: world.free }),
      ...clock,
      scheduler: {
        immediate: (step) => {
          world.after(0, guarded(step));
        },
        timer: (step, delayMs) => world.after(delayMs, guarded(step)),
      },
      ...(rules === undefined ? {} : { rules }),
      point: (name) => {
        world.coverage.hit('site', name);
        if (!world.faults.isKilledAt(name) && !world.faults.strikes('crash-append', name)) return;
        this.crash(owner, name);
        throw new Error('injected: the process is gone');
      },
      committed: () => {},
    });
    owner.pruning = new Pruning({ loop: owner.loop, deleting: deleter(world, owner) });
    owner.loop.until(() => false).catch((error: unknown) => this.#ended(owner, error));
    const hello = { kind: 'loop-started', pid: owner.id, host: 'sim', version: '0' } as const;
    owner.loop.send(hello).then(
      (answer) => {
        if (answer.ok) owner.begun = true;
        else this.crash(owner, 'its start cannot be logged');
      },
      () => {},
    );
    this.all.add(owner);
  }

  #clock(): SteadyClock {
    const world = this.#world;
    const [last] = [...this.#journal.read({ newestFirst: true, limit: 1 })];
    return steadyClock({ wall: () => world.wall, elapsed: () => world.mono, from: last?.at ?? 0 });
  }

  /** The loop that may write, or is about to. */
  current(): LiveOwner | undefined {
    return [...this.all].findLast(
      (owner) => !owner.dead && (!owner.begun || this.#checker.reigns(owner)),
    );
  }

  /** A loop that ended by itself: the log was lost to another one or to the disk. */
  #ended(owner: LiveOwner, error: unknown): void {
    if (owner.dead) return;
    if (!(error instanceof JournalError) && !isInjected(error)) {
      if (!owner.ended) this.broken(error);
      return;
    }
    const reason = error instanceof JournalError ? error.reason : 'injected';
    this.#world.coverage.hit('end', `loop: ${reason}`);
    this.#world.say(`loop ${owner.id} ended: ${reason}`);
    owner.ended = true;
    this.#world.after(100, () => this.crash(owner, reason));
  }

  /** The owner's process is gone; another one starts some time later, unless one lives. */
  crash(owner: Owner, why: string): void {
    if (owner.dead) return;
    owner.dead = true;
    const world = this.#world;
    world.say(`loop ${owner.id} dies: ${why}`);
    this.#checker.gone(owner);
    for (const folder of world.attempts.values())
      if (folder.watching.delete(owner)) folder.watchedAt = world.mono;
    const pause = world.calm ? 1 : world.delay.pick([1, 200, 5_000, 300_000, 1_500_000]);
    world.after(pause, () => {
      if (this.current() === undefined) this.start();
    });
  }

  /** The loop is told to end, and ends some time later. */
  restart(owner: LiveOwner, atOnce: boolean): void {
    owner.draining = true;
    if (atOnce) owner.loop.stop();
    else owner.loop.drain();
    this.#world.after(this.#chaos.pick([1, 2_000, 30_000]), () => {
      if (owner.dead) return;
      owner.ended = true;
      void owner.pruning[Symbol.asyncDispose]()
        .then(() => owner.loop.end('restart'))
        .catch(() => {})
        .then(() => this.crash(owner, 'it has ended'));
    });
  }

  /** A person asks, most of the time the newest loop. */
  ask(request: Request): void {
    const owners = [...this.all].filter((owner) => !owner.dead && owner.begun);
    const owner = this.#chaos.chance(0.8) ? owners.at(-1) : owners[0];
    if (owner === undefined) return;
    const { coverage } = this.#world;
    this.#world.say(`ask ${request.kind} ${'worker' in request ? request.worker : ''}`);
    this.#send(owner, request).then(
      (answer) => {
        coverage.hit('request', `${request.kind} ${answer.ok ? 'taken' : 'refused'}`);
        if (!answer.ok) return;
        try {
          this.#acknowledged(owner, request);
        } catch (error) {
          this.broken(error);
        }
      },
      () => coverage.hit('request', `${request.kind} unheard`),
    );
  }

  /**
   * A person who looks into the inbox finds the silent attempt there, and sooner or later ends it or lets it be, unless
   * it is to begin again by itself.
   */
  #silent(folder: AttemptFolder): void {
    const owner = this.current();
    if (owner?.begun !== true || owner.ended) return;
    const { run, worker } = folder;
    const sign = folder.sign.wall;
    const signs = { lastOutputAt: sign, lastReportAt: null, lastCommitAt: null };
    const now = this.#world.wall;
    const entries = (this.#mutation?.inbox ?? inboxEntries)({
      state: owner.loop.state,
      run,
      now,
      liveness: () => ({ state: 'alive', observedAt: now, ...signs }),
    });
    const told = entries.some((one) => one.worker === worker && one.kind === 'stalled');
    this.watched(() => this.#checker.silent(folder, told));
    const restarts = this.#checker.ledger.run(run)?.workers.get(worker)?.definition.stall?.restart;
    const acts = told && restarts !== true && this.#stalls.chance(this.#world.calm ? 0.7 : 0.2);
    if (acts) this.ask({ kind: this.#stalls.pick(['cancel', 'pause'] as const), run, worker });
  }

  /** As the handlers of the socket do it: what begins waits for a deletion, what is asked meanwhile is refused. */
  async #send(owner: LiveOwner, request: Request): Promise<Answer> {
    const send = (): Promise<Answer> => owner.loop.send({ ...request, by: 'user' });
    if (request.kind === 'start-run' || request.kind === 'set-missing-agents') {
      const begun = owner.turn.then(send);
      owner.turn = begun.catch(() => {});
      return begun;
    }
    const guard = this.#mutation?.inTheWay ?? ((run) => owner.pruning.inTheWay(run));
    const rejection = guard(request.run);
    return rejection === null ? send() : { ok: false, rejection };
  }

  /** A person wants what old runs hold deleted. */
  prune(): void {
    this.#world.after(0, () => this.#prune());
  }

  #prune(): void {
    const owner = this.current();
    if (owner?.begun !== true || owner.ended) return;
    const retention = retentionOf(this.#stalls);
    this.#world.say(`prune ${JSON.stringify(retention)}`);
    const { coverage } = this.#world;
    const pruned = owner.turn.then(async () => owner.pruning.prune(retention));
    owner.turn = pruned.then(
      ({ kind }) => coverage.hit('request', `prune ${kind}`),
      (error: unknown) => {
        coverage.hit('request', 'prune failed');
        if (!isInjected(error) && !(error instanceof JournalError)) this.broken(error);
      },
    );
  }

  #acknowledged(owner: LiveOwner, request: Request): void {
    const { require, ledger } = this.#checker;
    const { seq } = this.#journal.head();
    require('S11', owner.loop.state.seq <= seq, () => `${request.kind} is acknowledged and gone`);
    if (request.kind === 'start-run')
      require('S11', ledger.runs.has(request.run), () => `${request.run} is acknowledged and gone`);
  }

  #threw(owner: LiveOwner, key: string, error: unknown): void {
    if (isInjected(error) || owner.dead || owner.ended) return;
    if (error instanceof JournalError) return;
    this.broken(error, key);
  }

  /** Runs a check, and remembers what it found. */
  watched(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.broken(error);
      throw error;
    }
  }

  /** Remembers the first thing that should not have happened. */
  broken(error: unknown, where = ''): void {
    if (isInjected(error)) return;
    this.violation ??=
      error instanceof Violation
        ? error
        : new Violation(
            'P8',
            `${where} ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
          );
  }
}

function isInjected(error: unknown): boolean {
  const text = error instanceof Error ? error.message : '';
  return text.startsWith('injected') || text === 'aborted' || text.includes('a later attempt');
}
