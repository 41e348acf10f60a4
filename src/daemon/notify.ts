/**
 * Tells people of events, beside the loop: never in its way, never an error of it. The inbox is what counts; a process
 * that is killed tells nobody of what it had not told yet.
 *
 * Owns what waits to be told. Invariants: only durable events come here; to one target at most one try is under way, in
 * the order of the events but for those that are tried again; no more than `mostHeld` wait for a target.
 */
import { toldOf } from '../core/notify.ts';
import type { Event } from '../core/events.ts';
import type { NotifyTarget } from '../core/plan.ts';
import type { RepositoryState } from '../core/state.ts';
import { noticeOf, type Notice } from '../report/notice.ts';
import type { Scheduler } from './scheduler.ts';
import { deliver, nameOf, type Problem } from './notify-deliver.ts';

export interface NotifierOptions {
  /** Folder that commands run in. */
  readonly cwd: string;
  /** Where secrets are, and what commands are given. */
  readonly env: NodeJS.ProcessEnv;
  /** Takes a line on what went wrong. */
  readonly say: (line: string) => void;
  readonly scheduler: Scheduler;
}

interface Delivery {
  readonly notice: Notice;
  tries: number;
}

interface Channel {
  readonly to: NotifyTarget['to'];
  readonly ready: Delivery[];
  /** Calls off the next try of each that waits for it. */
  readonly later: Map<Delivery, () => void>;
  busy: boolean;
  /** Whether it has been said that there are too many. */
  full: boolean;
}

/** Pauses before the next tries, milliseconds. */
const pauses = [1_000, 4_000, 16_000, 64_000] as const;

/** Events that wait for one target; more are left out. */
export const mostHeld = 200;

/** How long the end waits for what is under way, milliseconds. */
const lastMs = 2_000;

export class Notifier {
  readonly #options: NotifierOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #ending = new AbortController();
  #watchers: (() => void)[] = [];
  #closing = false;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** Takes durable events, and the state after them. Never throws. */
  tell(events: readonly Event[], { runs }: Pick<RepositoryState, 'runs'>): void {
    try {
      for (const event of events) {
        const targets = event.run === undefined ? [] : runs.get(event.run)?.plan.policies.notify;
        const told = targets === undefined ? [] : toldOf(targets, event);
        if (told.length > 0) this.send(told, noticeOf(event));
      }
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error));
    }
  }

  /** Takes a notice for these targets; what is the same target twice is told once. */
  send(targets: readonly Pick<NotifyTarget, 'to'>[], notice: Notice): void {
    if (this.#closing) return;
    for (const channel of new Set(targets.map(({ to }) => this.#channelOf(to)))) {
      if (held(channel) >= mostHeld) {
        if (!channel.full)
          this.#say(`${mostHeld} events wait for ${nameOf(channel.to)}: more are left out`);
        channel.full = true;
        continue;
      }
      channel.ready.push({ notice, tries: 0 });
      this.#due(channel);
    }
  }

  /** Resolves when nothing is left to be told, further tries included. */
  async idle(): Promise<void> {
    await this.#until((channel) => held(channel) === 0);
  }

  /** Tries nothing again, and waits a little for what is due and under way. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const channel of this.#channels.values()) {
      for (const [{ notice }, callOff] of channel.later) {
        callOff();
        this.#sayLost(channel, notice, 'czar has ended');
      }
      channel.later.clear();
    }
    const over = Promise.withResolvers<void>();
    const callOff = this.#options.scheduler.timer(() => over.resolve(), lastMs);
    await Promise.race([this.idle(), over.promise]);
    callOff();
    for (const channel of this.#channels.values()) {
      for (const { notice } of channel.ready.splice(0))
        this.#sayLost(channel, notice, 'czar has ended');
    }
    this.#ending.abort();
  }

  #channelOf(to: NotifyTarget['to']): Channel {
    const key = JSON.stringify(to);
    const found = this.#channels.get(key);
    if (found !== undefined) return found;
    const channel = { to, ready: [], later: new Map(), busy: false, full: false };
    this.#channels.set(key, channel);
    return channel;
  }

  /** After the turn that this belongs to. */
  #due(channel: Channel): void {
    this.#options.scheduler.immediate(() => this.#next(channel));
  }

  #next(channel: Channel): void {
    if (channel.busy || this.#ending.signal.aborted) return;
    const delivery = channel.ready.shift();
    if (delivery === undefined) return;
    channel.busy = true;
    void this.#attempt(channel, delivery);
  }

  async #attempt(channel: Channel, delivery: Delivery): Promise<void> {
    const { cwd, env, scheduler } = this.#options;
    const { signal } = this.#ending;
    const context = { cwd, env, signal, timer: scheduler.timer };
    const problem = await deliver(channel.to, delivery.notice, context);
    channel.busy = false;
    delivery.tries += 1;
    if (problem !== null) this.#failed(channel, delivery, problem);
    if (held(channel) === 0) channel.full = false;
    for (const wake of this.#watchers.splice(0)) wake();
    this.#next(channel);
  }

  #failed(channel: Channel, delivery: Delivery, { what, again }: Problem): void {
    const pause = again && !this.#closing ? pauses[delivery.tries - 1] : undefined;
    if (pause === undefined) {
      const tries = delivery.tries === 1 ? '' : `, at ${delivery.tries} tries`;
      const why = this.#ending.signal.aborted ? 'czar has ended' : `${what}${tries}`;
      this.#sayLost(channel, delivery.notice, why);
      return;
    }
    const callOff = this.#options.scheduler.timer(() => {
      channel.later.delete(delivery);
      channel.ready.unshift(delivery);
      this.#next(channel);
    }, pause);
    channel.later.set(delivery, callOff);
  }

  async #until(reached: (channel: Channel) => boolean): Promise<void> {
    while (![...this.#channels.values()].every(reached))
      await new Promise<void>((wake) => this.#watchers.push(wake));
  }

  #sayLost({ to }: Channel, { id, type }: Notice, why: string): void {
    this.#say(`${nameOf(to)} was not told of ${type} (${id}): ${why}`);
  }

  #say(line: string): void {
    try {
      this.#options.say(`notify: ${line}`);
    } catch {
      // Whoever would read it is gone.
    }
  }
}

/** Deliveries that are not over. */
function held({ ready, later, busy }: Channel): number {
  return ready.length + later.size + (busy ? 1 : 0);
}
