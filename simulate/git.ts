/**
 * Git as values: trees are maps of path to blob, commits have a tree and parents, refs are names. Equal content has an
 * equal id, so that what is made twice is the same thing. Two repositories share the objects: the mirror and the user's.
 */

export type Files = ReadonlyMap<string, string>;

export interface Commit {
  readonly id: string;
  readonly tree: string;
  readonly parents: readonly string[];
  /** Generation: 1 more than that of the highest parent. */
  readonly depth: number;
}

export type Merged =
  | { readonly kind: 'merged'; readonly tree: string }
  | { readonly kind: 'conflict'; readonly files: readonly string[] };

export interface RefMove {
  readonly place: 'mirror' | 'user';
  readonly ref: string;
  readonly from: string | null;
  /** Null when it was deleted. */
  readonly to: string | null;
}

export class SimGit {
  readonly mirror = new Map<string, string>();
  readonly user = new Map<string, string>();
  /** Every move of a ref, in order. */
  readonly moves: RefMove[] = [];
  readonly #trees = new Map<string, Files>();
  readonly #treeIds = new Map<string, string>();
  readonly #commits = new Map<string, Commit>();
  readonly #commitIds = new Map<string, string>();
  readonly #ancestors = new Map<string, ReadonlySet<string>>();

  /** Id of the tree with these files. */
  tree(files: Files): string {
    const key = [...files]
      .map(([path, blob]) => `${path}=${blob}`)
      .sort()
      .join(';');
    const known = this.#treeIds.get(key);
    if (known !== undefined) return known;
    const id = `t${this.#trees.size + 1}`;
    this.#treeIds.set(key, id);
    this.#trees.set(id, new Map(files));
    return id;
  }

  files(tree: string): Files {
    const files = this.#trees.get(tree);
    if (files === undefined) throw new Error(`there is no tree ${tree}`);
    return files;
  }

  commit(tree: string, parents: readonly string[], stamp: string): string {
    const key = `${tree}|${parents.join(',')}|${stamp}`;
    const known = this.#commitIds.get(key);
    if (known !== undefined) return known;
    const id = `c${this.#commits.size + 1}`;
    const depth = 1 + Math.max(0, ...parents.map((parent) => this.look(parent).depth));
    this.#commitIds.set(key, id);
    this.#commits.set(id, { id, tree, parents, depth });
    return id;
  }

  look(id: string): Commit {
    const commit = this.#commits.get(id);
    if (commit === undefined) throw new Error(`there is no commit ${id}`);
    return commit;
  }

  has(id: string): boolean {
    return this.#commits.has(id);
  }

  /** The commit and everything before it. */
  ancestors(id: string): ReadonlySet<string> {
    const known = this.#ancestors.get(id);
    if (known !== undefined) return known;
    const all = new Set([id]);
    for (const parent of this.look(id).parents)
      for (const one of this.ancestors(parent)) all.add(one);
    this.#ancestors.set(id, all);
    return all;
  }

  isAncestor(ancestor: string, descendant: string): boolean {
    return this.ancestors(descendant).has(ancestor);
  }

  mergeBase(one: string, other: string): string {
    const mine = this.ancestors(one);
    let best: Commit | null = null;
    for (const id of this.ancestors(other)) {
      if (!mine.has(id)) continue;
      const commit = this.look(id);
      if (best === null || commit.depth > best.depth) best = commit;
    }
    if (best === null) throw new Error(`${one} and ${other} share nothing`);
    return best.id;
  }

  /** Three-way merge by whole files. */
  merge(onto: string, tip: string): Merged {
    const base = this.files(this.look(this.mergeBase(onto, tip)).tree);
    const ours = this.files(this.look(onto).tree);
    const theirs = this.files(this.look(tip).tree);
    const merged = new Map(ours);
    const conflicts: string[] = [];
    for (const path of new Set([...base.keys(), ...theirs.keys()])) {
      const was = base.get(path);
      const their = theirs.get(path);
      const our = ours.get(path);
      if (their === was || their === our) continue;
      if (our !== was) conflicts.push(path);
      else if (their === undefined) merged.delete(path);
      else merged.set(path, their);
    }
    if (conflicts.length > 0) return { kind: 'conflict', files: conflicts.sort() };
    return { kind: 'merged', tree: this.tree(merged) };
  }

  /** Paths in which two commits differ. */
  changes(
    from: string,
    to: string,
  ): readonly { readonly path: string; readonly before: string; readonly after: string }[] {
    const before = this.files(this.look(from).tree);
    const after = this.files(this.look(to).tree);
    return [...new Set([...before.keys(), ...after.keys()])]
      .filter((path) => before.get(path) !== after.get(path))
      .sort()
      .map((path) => ({ path, before: before.get(path) ?? '', after: after.get(path) ?? '' }));
  }

  /** Moves a ref; with `from` only when it stands there. Gives whether it stands at `to` now. */
  move(place: 'mirror' | 'user', ref: string, to: string, from?: string | null): boolean {
    const refs = place === 'mirror' ? this.mirror : this.user;
    const found = refs.get(ref) ?? null;
    if (found === to) return true;
    if (from !== undefined && found !== from) return false;
    refs.set(ref, to);
    this.moves.push({ place, ref, from: found, to });
    return true;
  }

  /** Deletes a ref when it stands there. */
  remove(place: 'mirror' | 'user', ref: string, from: string): void {
    const refs = place === 'mirror' ? this.mirror : this.user;
    if (refs.get(ref) !== from) return;
    refs.delete(ref);
    this.moves.push({ place, ref, from, to: null });
  }

  /** Whether some ref of either repository leads to the commit. */
  isReachable(commit: string): boolean {
    return [...this.mirror.values(), ...this.user.values()].some((id) =>
      this.isAncestor(commit, id),
    );
  }

  /** Commits that refs of the mirror hold. */
  held(): ReadonlySet<string> {
    const all = new Set<string>();
    for (const id of this.mirror.values()) for (const one of this.ancestors(id)) all.add(one);
    return all;
  }

  /** Whether some ref of the mirror holds the commit. */
  isHeld(commit: string): boolean {
    for (const id of this.mirror.values()) if (this.isAncestor(commit, id)) return true;
    return false;
  }
}
