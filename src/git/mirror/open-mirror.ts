/**
 * The mirror, held open: one git that answers about objects and names, and what was read lately. Starting a git for each
 * question would cost more than all answers.
 *
 * Invariants: it says what git would say, or null, which means "ask git itself". Objects never change, so what was read
 * stays right; names are asked anew each time. The process ends when nothing was asked for a while, and with its owner.
 */
import { existsSync } from 'node:fs';
import type { CoProcess, ReadAnswer } from '../../process/co-process.ts';
import { stayingGit } from '../git.ts';
import { readLooseObject, writeLooseObjects } from './loose-object.ts';
import type { NewObject } from './loose-object.ts';
import { moveLooseRef } from './loose-ref.ts';
import { readCommit, readTree } from './object-format.ts';
import type { Commit, TreeEntry } from './object-format.ts';

/** Milliseconds for one answer, and without a question until the process ends. */
const answerMs = 60_000;
const idleMs = 30_000;
/** Entries of trees, and commits, that are remembered. */
const maxEntries = 400_000;
const maxCommits = 50_000;

/** A tree as it was read. */
export interface OpenTree {
  readonly id: string;
  readonly entries: readonly TreeEntry[];
  readonly byName: ReadonlyMap<string, TreeEntry>;
}

export class OpenMirror implements AsyncDisposable {
  readonly #mirror: string;
  readonly #borrowed: readonly string[];
  readonly #commits = new Map<string, Commit>();
  readonly #trees = new Map<string, OpenTree>();
  #entries = 0;
  #reader: CoProcess | null = null;
  #idle: NodeJS.Timeout | undefined;
  #asked = 0;

  /** `borrowed`: folders of other objects that it may read, where every file is a plain one. */
  constructor(mirror: string, borrowed: readonly string[] = []) {
    this.#mirror = mirror;
    this.#borrowed = borrowed;
  }

  /** Whether every commit has its parents: false in a shallow repository. */
  isWhole(): boolean {
    return !existsSync(`${this.#mirror}/shallow`);
  }

  /** Id that a name stands for, such as a ref; null when git knows none or cannot be asked. */
  async resolve(name: string): Promise<string | null> {
    return this.#ask(`info ${name}\n`, (line) => line.id);
  }

  /** A commit by its id; no promise when it is known already. */
  commit(id: string): Commit | Promise<Commit | null> {
    return this.#commits.get(id) ?? this.#readCommit(id);
  }

  /** A tree by its id; no promise when it is known already. */
  tree(id: string): OpenTree | Promise<OpenTree | null> {
    const known = this.#trees.get(id);
    if (known === undefined) return this.#readTree(id);
    // The oldest go first.
    this.#trees.delete(id);
    this.#trees.set(id, known);
    return known;
  }

  /** Makes objects durable. */
  async write(objects: readonly NewObject[]): Promise<void> {
    await writeLooseObjects(`${this.#mirror}/objects`, objects);
  }

  /** Remembers a tree that the mirror has. */
  keep(tree: OpenTree): void {
    if (this.#trees.has(tree.id)) return;
    this.#trees.set(tree.id, tree);
    this.#entries += tree.entries.length + 1;
    for (const [oldest, { entries }] of this.#trees) {
      if (this.#entries <= maxEntries || oldest === tree.id) break;
      this.#trees.delete(oldest);
      this.#entries -= entries.length + 1;
    }
  }

  /** Moves a ref as `moveLooseRef`. */
  async moveRef(move: Parameters<typeof moveLooseRef>[1]): ReturnType<typeof moveLooseRef> {
    return moveLooseRef(this.#mirror, move);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle);
    const reader = this.#reader;
    this.#reader = null;
    await reader?.[Symbol.asyncDispose]();
  }

  async #readCommit(id: string): Promise<Commit | null> {
    const found = await this.#object(id);
    const commit = found?.type === 'commit' ? readCommit(found.content) : null;
    if (commit === null) return null;
    if (this.#commits.size >= maxCommits) this.#commits.clear();
    this.#commits.set(id, commit);
    return commit;
  }

  async #readTree(id: string): Promise<OpenTree | null> {
    const found = await this.#object(id);
    const entries = found?.type === 'tree' ? readTree(found.content, id.length) : null;
    const tree = entries === null ? null : openTree(id, entries);
    if (tree !== null) this.keep(tree);
    return tree;
  }

  /** What was brought here lately lies in files; all else git finds. */
  async #object(id: string): Promise<{ readonly type: string; readonly content: Buffer } | null> {
    return (
      readLooseObject(`${this.#mirror}/objects`, id) ??
      this.#ask(`contents ${id}\n`, (object) => object)
    );
  }

  async #ask<T>(request: string, take: (object: RawObject) => T | null): Promise<T | null> {
    // A line end or a blank would make it another request.
    if (/[\s\0]/.test(request.slice(request.indexOf(' ') + 1, -1))) return null;
    const contents = request.startsWith('contents');
    if (this.#reader === null || this.#reader.ended) this.#reader = this.#start();
    const found = await this.#busy(this.#reader.ask(request, readObject(contents)));
    return found === null || found === 'missing' ? null : take(found);
  }

  #start(): CoProcess {
    const env = borrowing(this.#borrowed);
    const place = { cwd: this.#mirror, gitDir: this.#mirror, env };
    return stayingGit(['cat-file', '--batch-command'], { ...place, timeoutMs: answerMs });
  }

  async #busy<T>(answer: Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    this.#asked += 1;
    try {
      return await answer;
    } finally {
      this.#asked -= 1;
      if (this.#asked === 0)
        this.#idle = setTimeout(() => void this[Symbol.asyncDispose](), idleMs).unref();
    }
  }
}

/** The environment in which git reads objects of these folders too (git, "GIT_ALTERNATE_OBJECT_DIRECTORIES"). */
export function borrowing(folders: readonly string[]): Readonly<Record<string, string>> {
  const quoted = folders.map((folder) => `"${folder.replace(/["\\]/g, '\\$&')}"`);
  return folders.length === 0 ? {} : { GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted.join(':') };
}

/** A tree to be looked into; null when two entries have one name. */
export function openTree(id: string, entries: readonly TreeEntry[]): OpenTree | null {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return byName.size === entries.length ? { id, entries, byName } : null;
}

interface RawObject {
  readonly id: string;
  readonly type: string;
  readonly content: Buffer;
}

/** `<id> <type> <size>`, then the content where it was asked for; or `<name> missing` (git-cat-file, "BATCH OUTPUT"). */
function readObject(contents: boolean): ReadAnswer<RawObject | 'missing'> {
  return (bytes) => {
    const end = bytes.indexOf('\n');
    if (end < 0) return { needs: bytes.length + 1 };
    const line = bytes.toString('latin1', 0, end);
    const [, id, type, size] = /^([0-9a-f]+) (\w+) (\d+)$/.exec(line) ?? [];
    if (id === undefined || type === undefined) {
      if (/ (?:missing|ambiguous)$/.test(line)) return { value: 'missing', length: end + 1 };
      throw new Error('not an answer of cat-file');
    }
    if (!contents) return { value: { id, type, content: Buffer.alloc(0) }, length: end + 1 };
    const length = end + 1 + Number(size) + 1;
    if (bytes.length < length) return { needs: length };
    return { value: { id, type, content: bytes.subarray(end + 1, length - 1) }, length };
  };
}
