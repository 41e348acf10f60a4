/**
 * The simulated world: one virtual clock, one queue of what happens next, git, working trees, attempts' folders and the
 * process table. It survives every crash of the loop; nothing in it is random but by the streams of its seed.
 *
 * Owners are loops: what an owner waits for never comes once it is dead.
 */
import type { KeptWork } from '../src/core/events.ts';
import type { OwnedRemark } from '../src/core/home-requests.ts';
import type { RunState } from '../src/core/state.ts';
import type { AttemptFolder } from './attempts.ts';
import type { Reviewer } from './effects-review.ts';
import { Coverage } from './coverage.ts';
import { Faults } from './faults.ts';
import { SimGit } from './git.ts';
import { stream, type Random } from './random.ts';

export interface Owner {
  readonly id: number;
  /** Its process has ended: nothing that it began goes on. */
  dead: boolean;
  /** Prepares trees one at a time. */
  making: Promise<unknown>;
  /** Effects that a fault holds up. */
  slow: number;
}

export interface Worktree {
  readonly run: string;
  readonly worker: string;
  /** Attempt that it was made or continued for. */
  attempt: number;
  head: string;
  files: Map<string, string>;
  /** Integration tip that was brought in after a conflict. */
  offered: string | null;
  /** Every commit ever made in it. */
  readonly made: Set<string>;
  /** What was kept when it was made, and of which attempt. */
  keptWhenMade: { readonly attempt: number; readonly kept: readonly KeptWork[] } | null;
}

/** A branch of the remote that was moved. */
export interface Push {
  readonly ref: string;
  readonly from: string | null;
  readonly to: string;
}

interface Happening {
  readonly at: number;
  readonly seq: number;
  readonly run: () => void;
  live: boolean;
}

/** Space enough for everything. */
const plenty = 50_000_000_000;

export class World {
  readonly seed: number;
  readonly coverage: Coverage;
  readonly faults: Faults;
  readonly git = new SimGit();
  readonly trees = new Map<string, Worktree>();
  readonly attempts = new Map<string, AttemptFolder>();
  readonly reviewers = new Map<string, Reviewer>();
  /** Branches of the remote, and every push to it; null where there is none. */
  readonly remote: Map<string, string> | null;
  readonly pushes: Push[] = [];
  /** What was said of the pull request of each run. */
  readonly said = new Map<string, OwnedRemark[]>();
  /** Results of gate commands as they were run, by tree, command and setup. */
  readonly ran = new Map<string, Set<string>>();
  readonly agent: Random;
  readonly delay: Random;
  readonly user: Random;
  readonly #disk: Random;
  readonly #checks: Random;
  /** The longest that a check takes: in some worlds so long that the merge queue fills up. */
  readonly #longestCheck: number;
  /** Milliseconds since the world began; never goes back. */
  mono = 0;
  /** What the wall clock shows beyond that. */
  wallOffset = 1_795_000_000_000;
  boot = 1;
  pids = 1_000;
  blobs = 0;
  steps = 0;
  /** Loops that were ever started, and jumps of the wall clock. */
  loops = 0;
  jumps = 0;
  /** Free bytes of the disk. */
  free = plenty;
  /** Whether nothing goes wrong any more. */
  calm = false;
  /** One line for each step that did something; null when nobody reads it. */
  readonly trace: string[] | null;
  /** Called when a fault kills the owner's process. */
  onCrash: (owner: Owner, why: string) => void = () => {};
  /** Called when an attempt has been silent for as long as its worker calls a stall, and again while it is. */
  onSilence: (folder: AttemptFolder) => void = () => {};
  /** Called before a working tree is replaced. */
  onReplace: (tree: Worktree) => void = () => {};
  readonly #queue: Happening[] = [];
  #seq = 0;

  constructor(options: {
    readonly seed: number;
    readonly without: ReadonlySet<string>;
    readonly trace: boolean;
    readonly coverage: Coverage;
    readonly kills: readonly string[];
  }) {
    const { seed } = options;
    this.seed = seed;
    this.coverage = options.coverage;
    this.trace = options.trace ? [] : null;
    this.agent = stream(seed, 'agent');
    this.delay = stream(seed, 'delay');
    this.user = stream(seed, 'user');
    this.faults = new Faults(seed, options.without, options);
    this.#disk = stream(seed, 'disk');
    this.remote = stream(seed, 'remote').chance(0.8) ? new Map() : null;
    this.#checks = stream(seed, 'checks');
    this.#longestCheck = this.#checks.pick([0, 0, 20_000, 200_000, 200_000]);
    if (this.#disk.chance(0.2)) this.#tide();
    const tree = this.git.tree(
      new Map([
        ['README.md', 'b0'],
        ['shared.txt', 'b0'],
      ]),
    );
    const base = this.git.commit(tree, [], 'base');
    this.git.user.set('refs/heads/main', base);
  }

  /** The disk fills up and is freed, again and again while things go wrong. */
  #tide(): void {
    this.after(this.#disk.pick([1, 3_000, 30_000, 300_000]), () => {
      if (this.calm) return;
      this.free = this.#disk.pick([0, 1_010_000_000, 3_000_000_000, plenty]);
      this.#tide();
    });
  }

  /** How long the next check takes, milliseconds. */
  checkMs(): number {
    return this.#longestCheck === 0 ? 0 : this.#checks.below(this.#longestCheck);
  }

  /** There is space again. */
  relieve(): void {
    this.free = plenty;
  }

  get wall(): number {
    return this.mono + this.wallOffset;
  }

  say(...words: readonly (string | number)[]): void {
    this.trace?.push(`${this.steps} @${this.mono} ${words.join(' ')}`);
  }

  /** Lets something happen after so many milliseconds; gives the function that calls it off. */
  after(ms: number, run: () => void): () => void {
    const happening: Happening = {
      at: this.mono + Math.max(0, Math.round(ms)),
      seq: (this.#seq += 1),
      run,
      live: true,
    };
    let at = this.#queue.length;
    while (at > 0 && later(this.#queue[at - 1], happening)) at -= 1;
    this.#queue.splice(at, 0, happening);
    return () => {
      happening.live = false;
    };
  }

  /** Resolves after so many milliseconds, unless the owner is dead by then: then never. */
  sleep(owner: Owner, ms: number): Promise<void> {
    return new Promise((wake) => {
      this.after(ms, () => {
        if (!owner.dead) wake();
      });
    });
  }

  /** Does what comes next; false when nothing does. */
  next(): boolean {
    for (;;) {
      const happening = this.#queue.shift();
      if (happening === undefined) return false;
      if (!happening.live) continue;
      this.mono = Math.max(this.mono, happening.at);
      this.steps += 1;
      happening.run();
      return true;
    }
  }

  blob(): string {
    this.blobs += 1;
    return `b${this.blobs}`;
  }

  treeOf(run: string, worker: string): Worktree | undefined {
    return this.trees.get(`${run}/${worker}`);
  }

  /** Tip of the run's integration branch in the mirror. */
  integration(run: string): string | null {
    return this.git.mirror.get(`refs/czar/integration/${run}`) ?? null;
  }
}

/** A promise that never settles: what a dead process waits for. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

/** The folder of a worker without a repository, made by its launch. */
export function makeFolder(
  world: World,
  {
    run,
    worker,
    attempt,
  }: { readonly run: string; readonly worker: string; readonly attempt: number },
  head: string,
): void {
  world.trees.set(`${run}/${worker}`, {
    run,
    worker,
    attempt,
    head,
    files: new Map(),
    offered: null,
    made: new Set(),
    keptWhenMade: { attempt, kept: [] },
  });
}

/** Whether the worker has a folder instead of a branch. */
export function isEmpty(run: RunState, worker: string): boolean {
  return run.plan.workers.find((one) => one.id === worker)?.workspace === 'empty';
}

function later(one: Happening | undefined, than: Happening): boolean {
  return one !== undefined && one.at > than.at;
}
