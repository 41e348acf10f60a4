/** How long a daemon lives: until every run is over, or it is told to end. */
import { contractVersion, type End, type Ended } from '../../api/contract.ts';
import { goesOn } from '../../core/goes-on.ts';
import { restlessRuns } from '../../core/restless.ts';
import { isRunLive, type RepositoryState, type RunState } from '../../core/state.ts';
import { liveAgents } from '../../daemon/views/live-agents.ts';
import type { Loop } from '../../daemon/loop.ts';
import type { DaemonHandlers } from '../handlers.ts';

/** How long a daemon without a live run waits for the first thing to begin, milliseconds. */
const firstWordMs = 30_000;

/** How long one that is about to be asked for its first beginning launches nothing, milliseconds. */
const heldMs = 10_000;

/** Why it ends, and whether it was told to. */
interface Over {
  readonly why: string;
  readonly told: boolean;
}

export class DaemonLife implements DaemonHandlers {
  readonly #loop: Loop;
  readonly #exitWhenWaiting: boolean;
  readonly #told = Promise.withResolvers<Over>();
  /** Whether it has been asked for anything, or has waited long enough for that. */
  #asked: boolean;
  #beginnings = 0;
  #works = 0;
  #finishing = false;

  constructor(
    loop: Loop,
    options: { readonly exitWhenWaiting: boolean; readonly isAsked: boolean },
  ) {
    this.#loop = loop;
    this.#exitWhenWaiting = options.exitWhenWaiting;
    this.#asked = options.isAsked || restlessRuns(loop.state).some(isRunLive);
  }

  /** Resolves when it is to end, with why. */
  async over(): Promise<Over> {
    const silence = setTimeout(() => this.#look(), firstWordMs);
    const held = setTimeout(() => this.#loop.release(), heldMs);
    try {
      return await Promise.race([this.#nothingLeft(), this.#told.promise]);
    } finally {
      clearTimeout(silence);
      clearTimeout(held);
    }
  }

  readonly beginning = (now: boolean): void => {
    this.#beginnings += now ? 1 : -1;
    if (now) return;
    this.#loop.release();
    this.#look();
  };

  readonly working = (now: boolean): void => {
    this.#works += now ? 1 : -1;
    // Asked for this alone, it goes on waiting for its first beginning.
    if (!now) this.#tick();
  };

  readonly end = async ({ agents }: End): Promise<Ended> => {
    const { agents: live, until } = liveAgents(this.#loop.state, Date.now());
    switch (agents) {
      case 'run-on':
        // The answer goes out first.
        setImmediate(() => this.#told.resolve({ why: 'Told to end; agents run on.', told: true }));
        return { v: contractVersion, ok: true, agents: live, until };
      case 'finish':
        this.#loop.drain();
        break;
      case 'stop':
        this.#loop.stop();
        break;
    }
    this.#finishing = true;
    this.#look();
    return { v: contractVersion, ok: true, agents: live, until: null };
  };

  /** SIGTERM and Ctrl-C end it like `daemon stop`; a terminal that goes away does not. */
  endOnSignals(): Disposable {
    const end = (): void =>
      this.#told.resolve({ why: 'Ended by a signal; agents run on.', told: true });
    const stay = (): void => {};
    process.on('SIGTERM', end).on('SIGINT', end).on('SIGHUP', stay);
    return {
      [Symbol.dispose]() {
        // While it ends, another one asks for what is being done: a daemon that died of it would be started again.
        process.on('SIGTERM', stay);
        process.off('SIGTERM', end).off('SIGINT', end);
      },
    };
  }

  async #nothingLeft(): Promise<Over> {
    await this.#loop.until((state, idle) => idle && this.#isOver(state));
    if (this.#finishing) return { why: 'Told to end; no agent is left.', told: true };
    const why = restlessRuns(this.#loop.state).some(isRunLive)
      ? 'Nothing is left to do but what waits for you.'
      : 'Nothing is left to do.';
    return { why, told: false };
  }

  #isOver(state: RepositoryState): boolean {
    if (this.#works > 0) return false;
    if (this.#finishing) return true;
    if (!this.#asked || this.#beginnings > 0) return false;
    return restlessRuns(state).every((run) => !this.#goesOn(run));
  }

  #goesOn(run: RunState): boolean {
    return goesOn(run) || (isRunLive(run) && !this.#exitWhenWaiting);
  }

  /** Lets the loop look again whether anything is left. */
  #look(): void {
    this.#asked = true;
    this.#tick();
  }

  #tick(): void {
    // A loop that has ended meanwhile says so to whoever waits for it.
    this.#loop.send({ kind: 'tick' }).catch(() => undefined);
  }
}
