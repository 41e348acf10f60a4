/**
 * Pruning while a loop lives: the loop deletes, under its own lock.
 *
 * Invariants: one at a time; what is asked of a run of which something goes is refused until it has gone, and a run that
 * was asked for before that loses nothing; disposed, it deletes nothing more.
 */
import type { Rejection } from '../core/commands.ts';
import type { Answer } from '../daemon/answer.ts';
import type { Loop } from '../daemon/loop.ts';
import type { RepositoryState } from '../core/state.ts';
import type { Workplace } from '../daemon/workplace.ts';
import type { Retention } from '../plan/config-file.ts';
import { pruneBy, type PruneCommand } from './prune.ts';

/** Whoever leads the loop, and where; or what deletes there. */
type Led = { readonly loop: Loop } & (
  { readonly place: Pick<Workplace, 'git' | 'now'> } | { readonly deleting: Deleting }
);

/** Deletes what retention leaves over, and tells the loop; its signal ends that. */
export type Deleting = (order: {
  readonly state: RepositoryState;
  readonly retention: Retention;
  readonly signal: AbortSignal;
  readonly say: (command: PruneCommand) => Promise<Answer>;
}) => ReturnType<typeof pruneBy>;

const whilePruned: Rejection = {
  consequence: 'retry',
  exit: 4,
  what: 'czar prune deletes just now what this run held.',
  next: 'Ask again in a moment.',
};

export class Pruning implements AsyncDisposable {
  readonly #loop: Loop;
  readonly #deleting: Deleting;
  readonly #ending = new AbortController();
  #runs: ReadonlySet<string> = new Set();
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(led: Led) {
    this.#loop = led.loop;
    this.#deleting = 'deleting' in led ? led.deleting : byGit(led.place);
  }

  /** Why nothing can be asked of the run just now; null when it can. */
  inTheWay(run: string): Rejection | null {
    return this.#runs.has(run) ? whilePruned : null;
  }

  /** Deletes what retention leaves over. */
  async prune(retention: Retention): ReturnType<typeof pruneBy> {
    const mine = this.#underWay.then(async () => this.#prune(retention));
    this.#underWay = mine.catch(() => undefined);
    return mine;
  }

  async #prune(retention: Retention): ReturnType<typeof pruneBy> {
    const loop = this.#loop;
    const { signal } = this.#ending;
    if (signal.aborted) return { kind: 'failed', error: 'the czar that deletes was told to end' };
    try {
      const say = async (command: PruneCommand): Promise<Answer> => {
        if (command.kind === 'prune') this.#runs = new Set(command.runs);
        return loop.send(command);
      };
      return await this.#deleting({ state: loop.state, retention, signal, say });
    } finally {
      this.#runs = new Set();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#underWay;
  }
}

function byGit({ git, now }: Pick<Workplace, 'git' | 'now'>): Deleting {
  return (order) =>
    pruneBy({ ...order, git: { ...git, open: undefined, signal: order.signal }, now: now() });
}
