/**
 * The loop: commands in, durable events out, effects under way. The only place that appends to the log (A1).
 *
 * Owns the folded state, the queue of commands and the effects in flight. One turn takes every command that waits,
 * decides, lets follow what follows by itself, and appends all events in one transaction (group commit without a
 * timer); only then effects begin, others are told, and callers are answered. Where nobody waits for an answer, others are
 * told while the effects already work. Nothing is remembered that is not in the log: after a failed append the state is
 * loaded anew.
 */
import type { EvaluateWhen } from '../core/advance.ts';
import type { Command, Outcome, Rejection } from '../core/commands.ts';
import type { FoldState } from '../core/evolve.ts';
import type { Event, Machine } from '../core/events.ts';
import { runsOut, type Intent } from '../core/intents.ts';
import { restlessRuns } from '../core/restless.ts';
import { schedule } from '../core/schedule.ts';
import { isRunLive, type RepositoryState, type RunState } from '../core/state.ts';
import { JournalError, type Journal } from '../journal/journal.ts';
import { answerOf, type Answer } from './answer.ts';
import { AskedPushes } from './asked-pushes.ts';
import { eventLoop, type Scheduler } from './scheduler.ts';
import { decisions, turn, type Decisions, type Turn } from './turn.ts';

/** What an effect is given beside its intent. */
export interface EffectContext {
  readonly run: RunState;
  readonly signal: AbortSignal;
  /** Whether the effect may have been begun by a loop before this one. */
  readonly recovering: boolean;
  /** Reports something while the effect goes on; resolves when it is durable. */
  readonly report: (outcome: Outcome) => Promise<void>;
}

/** What an effect came to: nothing, an outcome, or several that are taken in order in one turn. */
export type Performed = Outcome | null | readonly Outcome[];

export type Perform = (intent: Intent, context: EffectContext) => Promise<Performed>;

/** The rules that the loop runs by. */
export interface Rules extends Decisions {
  readonly schedule: typeof schedule;
}

export interface LoopPorts {
  readonly journal: Journal;
  readonly perform: Perform;
  readonly when: EvaluateWhen;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Looks at the machine, before each turn while a run lives; null when it cannot be seen. */
  readonly machine?: (() => Machine | null) | undefined;
  /** Told while nothing waits for time, so that the clock may be set right; back only while no run lives. */
  readonly correct?: (back: boolean) => void;
  /** Which effects this loop performs, and whether it starts attempts; all when left out. */
  readonly only?: (intent: Intent) => boolean;
  /** Announces a place at which a test may kill the process. */
  readonly point?: ((name: string) => void) | undefined;
  /** The event loop of Node when left out. */
  readonly scheduler?: Scheduler;
  /** The core when left out. */
  readonly rules?: Rules;
  /** Told once when the log cannot be written for a while, with why, and once more (null) when it can again. */
  readonly stalled?: (why: JournalError | null) => void;
  /** Told what is durable: before callers are answered, and before the next turn. */
  readonly committed: (events: readonly Event[], state: RepositoryState) => void;
}

interface Waiting {
  readonly command: Command;
  /** Null for what an effect came to: nobody asks again, so it is kept until it can be written. */
  readonly answer: ((answer: Answer) => void) | null;
}

interface Flight {
  readonly intent: Intent;
  readonly controller: AbortController;
  readonly done: Promise<void>;
}

/** Pause after an append that may succeed later (disk full, database locked), milliseconds. */
const retryMs = 1_000;

const core: Rules = { ...decisions, schedule };

export class Loop {
  readonly #ports: LoopPorts;
  readonly #scheduler: Scheduler;
  readonly #rules: Rules;
  #state: FoldState;
  readonly #queue: Waiting[] = [];
  readonly #flights = new Map<string, Flight>();
  /** What is durable and nobody was told yet. */
  readonly #untold: Event[] = [];
  readonly #recovering: Set<string>;
  /** Runs with refs that an earlier loop left alone: tried once more by each loop, never forced. */
  readonly #retryDiverged: Set<string>;
  /** What a person wants pushed once more. */
  readonly pushes = new AskedPushes(() => this.#due());
  /** Its own epoch; null until its start is in the log. */
  #epoch: number | null = null;
  #turnDue = false;
  #callOff: (() => void) | null = null;
  #stalled = false;
  /** Whether the state has folded in what could not be appended, and the log could not be read since. */
  #stale = false;
  #draining = false;
  #held = false;
  #stopping = false;
  #ended: Error | null = null;
  #closing = false;
  #watchers: (() => void)[] = [];

  constructor(ports: LoopPorts) {
    this.#ports = ports;
    this.#scheduler = ports.scheduler ?? eventLoop;
    this.#rules = ports.rules ?? core;
    this.#state = ports.journal.load();
    this.#retryDiverged = new Set(
      restlessRuns(this.#state)
        .filter((run) => Object.keys(run.diverged).length > 0)
        .map((run) => run.id),
    );
    this.#recovering = new Set(this.#intents(ports.now()).intents.map(({ key }) => key));
  }

  get state(): RepositoryState {
    return this.#state;
  }

  /** Whether an append failed in a way that may mend itself; nothing is launched meanwhile. */
  get stalled(): boolean {
    return this.#stalled;
  }

  /** Resolves when the command is durable, or with why it is refused. */
  async send(command: Command): Promise<Answer> {
    if (this.#ended !== null) throw this.#ended;
    return new Promise((answer) => {
      this.#queue.push({ command, answer });
      this.#due();
    });
  }

  /** Launch nothing until it is released; what lives goes on. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#due();
  }

  /** Launch nothing more; what lives goes on. */
  drain(): void {
    this.#draining = true;
    this.#due();
  }

  /** Stop every live attempt with its work kept. */
  stop(): void {
    this.#draining = true;
    this.#stopping = true;
    this.#due();
  }

  /** Resolves when `reached` holds of the state after some durable turn; rejects when the loop ends with an error. */
  async until(reached: (state: RepositoryState, idle: boolean) => boolean): Promise<void> {
    for (;;) {
      // What an ended loop holds may be more than the log.
      if (this.#ended !== null) throw this.#ended;
      if (this.#untold.length === 0 && reached(this.#state, this.#idle())) return;
      await new Promise<void>((wake) => this.#watchers.push(wake));
    }
  }

  /** Ends the effects under way (not the attempts), says goodbye in the log, and takes no more commands. */
  async end(reason: string): Promise<void> {
    // From here on nothing is launched, also by what ends while the rest is still ending.
    this.#closing = true;
    this.#callOff?.();
    for (const flight of this.#flights.values()) flight.controller.abort();
    await Promise.all([...this.#flights.values()].map((flight) => flight.done));
    if (this.#ended === null) {
      await new Promise<Answer>((answer) => {
        this.#queue.push({ command: { kind: 'loop-ended', reason }, answer });
        this.#turn();
      });
    }
    this.#ended ??= new Error('the loop has ended');
    // Whoever is told may be closed after this.
    if (this.#untold.length > 0) this.#tell();
  }

  #idle(): boolean {
    const nothingWaits = this.#queue.length === 0 && this.#flights.size === 0;
    return nothingWaits && !this.#turnDue && !this.#stale;
  }

  #due(): void {
    if (this.#turnDue) return;
    this.#turnDue = true;
    this.#scheduler.immediate(() => this.#turn());
  }

  #turn(): void {
    this.#turnDue = false;
    if (this.#untold.length > 0) this.#tell();
    if (this.#ended !== null) return;
    const taken = this.#queue.splice(0);
    // One moment for all of it: what was too early for the turn is woken for.
    const now = this.#ports.now();
    let done: Turn;
    try {
      if (this.#stale) this.#restore();
      done = turn(
        this.#state,
        taken.map(({ command }) => command),
        {
          now,
          draining: this.#draining || this.#held || this.#closing || this.#ports.only !== undefined,
          when: this.#ports.when,
          machine: this.#ports.machine,
        },
        this.#rules,
      );
      if (done.events.length > 0) {
        this.#ports.point?.('append:before');
        this.#ports.journal.append(done.events, this.#state);
        this.#ports.point?.('append:after');
      }
    } catch (error) {
      this.#failed(error, taken);
      return;
    }
    // Only what was written shows that it can be.
    if (this.#stalled && done.events.length > 0) {
      this.#stalled = false;
      this.#ports.stalled?.(null);
    }
    if (done.events.some((event) => event.type === 'loop.started')) this.#epoch = this.#state.epoch;
    this.#untold.push(...done.events);
    this.#dispatch(now);
    const asked = taken.some(({ answer }) => answer !== null);
    if (asked || done.events.length === 0) this.#tell();
    else this.#scheduler.immediate(() => this.#tell());
    done.decisions.forEach((decision, index) => {
      taken[index]?.answer?.(answerOf(decision));
    });
  }

  #tell(): void {
    const events = this.#untold.splice(0);
    if (events.length > 0) this.#ports.committed(events, this.#state);
    this.#wake();
  }

  /** A turn that could not be made durable did not happen. */
  #failed(error: unknown, taken: readonly Waiting[]): void {
    // A loop whose start is not in the log has no epoch to write under.
    const mayMend =
      this.#epoch !== null && error instanceof JournalError && error.consequence === 'retry';
    const what = error instanceof Error ? error.message : String(error);
    const rejection: Rejection = {
      consequence: 'retry',
      exit: 4,
      what,
      next: error instanceof JournalError ? error.next : null,
    };
    for (const { answer } of taken) answer?.({ ok: false, rejection });
    if (!mayMend) {
      this.#fail(error instanceof Error ? error : new Error(what));
      return;
    }
    // What an effect came to is true all the same: it is not done again, but taken in again.
    this.#queue.unshift(...taken.filter(({ answer }) => answer === null));
    const first = !this.#stalled;
    this.#stalled = true;
    this.#stale = true;
    try {
      this.#restore();
    } catch (again) {
      if (!(again instanceof JournalError) || again.consequence !== 'retry') {
        this.#fail(again instanceof Error ? again : new Error(String(again)));
        return;
      }
      // Not even readable now: the next turn begins with it.
    }
    if (first) this.#ports.stalled?.(error);
    this.#wakeAt(this.#ports.now() + retryMs);
    // Whoever waits may not want to wait for the disk.
    this.#wake();
  }

  /** The state without what could not be appended. */
  #restore(): void {
    this.#state = this.#ports.journal.load();
    this.#stale = false;
    // S12: with the state of a loop that took over, its epoch would be loaded too.
    if (this.#epoch !== null && this.#state.epoch !== this.#epoch)
      throw new JournalError('fenced', 'another loop has taken over the log');
  }

  #fail(error: Error): void {
    this.#ended = error;
    for (const flight of this.#flights.values()) flight.controller.abort();
    this.#wake();
  }

  #intents(now: number): ReturnType<typeof schedule> {
    return this.#rules.schedule(this.#state, {
      now,
      stopping: this.#stopping,
      retryDiverged: this.#retryDiverged,
      pushAgain: this.pushes.refs,
    });
  }

  #dispatch(now: number): void {
    if (this.#closing) return;
    const { intents: all, wakeAt } = this.#intents(now);
    const intents = this.#ports.only === undefined ? all : all.filter(this.#ports.only);
    const wanted = new Set(intents.map((intent) => intent.key));
    for (const [key, flight] of this.#flights) {
      if (!wanted.has(key) && !runsOut.has(flight.intent.kind)) flight.controller.abort();
    }
    for (const intent of intents) if (!this.#flights.has(intent.key)) this.#launch(intent);
    if (wakeAt === null) this.#ports.correct?.(!restlessRuns(this.#state).some(isRunLive));
    this.#wakeAt(wakeAt);
  }

  #launch(intent: Intent): void {
    const run = this.#state.runs.get(intent.run);
    if (run === undefined) return;
    const controller = new AbortController();
    const context: EffectContext = {
      run,
      signal: controller.signal,
      recovering: this.#recovering.has(intent.key),
      report: (outcome) => this.#report(outcome, controller.signal),
    };
    this.#recovering.delete(intent.key);
    this.#flights.set(intent.key, { intent, controller, done: this.#fly(intent, context) });
  }

  /** Sends until it is durable: what is reported counts as read, and nobody reports it again. */
  async #report(outcome: Outcome, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const answer = await this.send(outcome);
      if (answer.ok || answer.rejection.consequence !== 'retry') return;
      await new Promise<void>((wake) => this.#scheduler.timer(wake, retryMs));
    }
  }

  async #fly(intent: Intent, context: EffectContext): Promise<void> {
    let performed: Performed;
    try {
      performed = await this.#ports.perform(intent, context);
    } catch (error) {
      performed = failure(intent, error);
    }
    this.#flights.delete(intent.key);
    if (intent.kind === 'publish') this.#retryDiverged.delete(intent.run);
    if (intent.kind === 'push') this.pushes.tried(intent);
    if (this.#ended !== null || this.#closing) return;
    const outcomes = context.signal.aborted ? [] : [performed ?? []].flat();
    const commands: readonly Command[] = outcomes.length > 0 ? outcomes : [{ kind: 'tick' }];
    for (const command of commands) this.#queue.push({ command, answer: null });
    this.#due();
  }

  #wakeAt(at: number | null): void {
    this.#callOff?.();
    this.#callOff = null;
    if (at === null) return;
    const delay = Math.min(Math.max(0, at - this.#ports.now()), 2 ** 31 - 1);
    this.#callOff = this.#scheduler.timer(() => this.#due(), delay);
  }

  #wake(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const wake of watchers) wake();
  }
}

function failure(intent: Intent, error: unknown): Outcome {
  return {
    kind: 'effect-failed',
    run: intent.run,
    worker: 'worker' in intent ? intent.worker : null,
    attempt: 'attempt' in intent ? intent.attempt : null,
    key: intent.key,
    effect: intent.kind,
    error: error instanceof Error ? error.message : String(error),
  };
}
