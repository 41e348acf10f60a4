/**
 * The dependency graph as pure functions over ids and edges: the word `all`, cycles, waves, longest remaining path,
 * reachability. Every result is deterministic: the same nodes in the same order give the same bytes, and nothing
 * recurses, so a chain may be as long as memory allows.
 *
 * Edges to ids that are not among the nodes are ignored here (validation reports them).
 */

/** What the graph needs to know of a worker. */
export interface GraphNode {
  readonly id: string;
  readonly edges: readonly { readonly on: string }[];
}

/** A worker whose dependencies may still say `all`. */
export interface UnexpandedNode {
  readonly id: string;
  /** Ids that are written out. */
  readonly on: readonly string[];
  readonly all: boolean;
  /** Whether it is the one that depends on every other that says `all`. */
  readonly qa: boolean;
}

/**
 * The ids that `all` adds, for each node that says it: every worker that does not depend on this one through edges
 * written out. Workers that say `all` do not depend on one another through it, except that the qa worker depends on
 * all the others; what is written to come after qa therefore comes after them too, and is none of their `all`.
 *
 * Two workers whose `all` contradict each other (each has a written dependent) make a cycle, which `findCycles` finds.
 */
export function expandAll(
  nodes: readonly UnexpandedNode[],
): ReadonlyMap<string, readonly string[]> {
  const result = new Map<string, readonly string[]>();
  const expand = (node: UnexpandedNode, graph: readonly GraphNode[]): void => {
    const dependents = reach(graph, node.id, 'dependents');
    const own = new Set(node.on);
    const added = nodes.filter((other) => {
      if (other.id === node.id || own.has(other.id) || dependents.has(other.id)) return false;
      return !other.all || node.qa;
    });
    result.set(
      node.id,
      added.map((other) => other.id),
    );
  };
  const written = nodes.map((node) => ({ id: node.id, edges: node.on.map((on) => ({ on })) }));
  for (const node of nodes) if (node.all && node.qa) expand(node, written);
  const withQa = written.map(({ id, edges }) => ({
    id,
    edges: [...edges, ...(result.get(id) ?? []).map((on) => ({ on }))],
  }));
  for (const node of nodes) if (node.all && !node.qa) expand(node, withQa);
  return result;
}

/**
 * Cycles, each as the path `[a, b, a]`, a shortest one for every knot of mutually dependent workers, beginning with
 * the id that sorts first. A worker that depends on itself is the cycle `[a, a]`.
 */
export function findCycles(nodes: readonly GraphNode[]): readonly (readonly string[])[] {
  const knotted = new Set(unordered(nodes, 'dependents'));
  // What only leads to or from a knot is no part of it: peel from the other side too.
  const core = nodes.filter((node) => knotted.has(node.id));
  const within = new Set(unordered(core, 'dependencies'));
  const members = core.filter((node) => within.has(node.id)).sort((a, b) => compare(a.id, b.id));
  const cycles: (readonly string[])[] = [];
  const seen = new Set<string>();
  for (const member of members) {
    if (seen.has(member.id)) continue;
    const path = shortestCycle(members, member.id);
    if (path === null) continue;
    const forward = reach(members, member.id, 'dependencies');
    const backward = reach(members, member.id, 'dependents');
    for (const id of forward) if (backward.has(id)) seen.add(id);
    seen.add(member.id);
    cycles.push(path);
  }
  return cycles;
}

/** Levels by longest path from a start, first level first, ids sorted within each. Workers in a cycle are left out. */
export function waves(nodes: readonly GraphNode[]): readonly (readonly string[])[] {
  return wavesFrom(depths(nodes, 'dependencies'));
}

/** The same from the wave of each worker. */
export function wavesFrom(of: ReadonlyMap<string, number>): readonly (readonly string[])[] {
  const levels: string[][] = [];
  for (const [id, level] of of) (levels[level - 1] ??= []).push(id);
  return levels.map((level) => level.sort(compare));
}

/** The wave of each worker, from 1. Workers in a cycle have none. */
export function waveOf(nodes: readonly GraphNode[]): ReadonlyMap<string, number> {
  return depths(nodes, 'dependencies');
}

/** For each worker the number of workers on the longest path that begins with it: 1 when nothing depends on it. */
export function remainingPath(nodes: readonly GraphNode[]): ReadonlyMap<string, number> {
  return depths(nodes, 'dependents');
}

/** Every id that can be reached from `from` over one or more edges. */
export function reach(
  nodes: readonly GraphNode[],
  from: string,
  direction: 'dependencies' | 'dependents',
): ReadonlySet<string> {
  const next = neighbours(nodes, direction);
  const found = new Set<string>();
  const queue = [...(next.get(from) ?? [])];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    queue.push(...(next.get(id) ?? []));
  }
  return found;
}

/** Order of plain strings by code unit: the same on every machine. */
export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Order of names in which numbers count as numbers: `w2` before `w10`. */
export function compareNatural(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    const [x = '', y = ''] = [left[i], right[i]];
    const numbers = /^\d/.test(x) && /^\d/.test(y);
    const order = numbers ? compareDigits(x, y) : compare(x, y);
    if (order !== 0) return order;
  }
  return left.length - right.length || compare(a, b);
}

function compareDigits(a: string, b: string): number {
  const [x, y] = [a.replace(/^0+(?=\d)/, ''), b.replace(/^0+(?=\d)/, '')];
  return x.length - y.length || compare(x, y);
}

function neighbours(
  nodes: readonly GraphNode[],
  direction: 'dependencies' | 'dependents',
): Map<string, Set<string>> {
  const result = new Map<string, Set<string>>(nodes.map((node) => [node.id, new Set<string>()]));
  for (const node of nodes) {
    for (const { on } of node.edges) {
      if (!result.has(on)) continue;
      if (direction === 'dependencies') result.get(node.id)?.add(on);
      else result.get(on)?.add(node.id);
    }
  }
  return result;
}

/** Length of the longest path that ends in each node when walking in `direction`, from 1. */
function depths(
  nodes: readonly GraphNode[],
  direction: 'dependencies' | 'dependents',
): Map<string, number> {
  const before = neighbours(nodes, direction);
  const after = neighbours(nodes, direction === 'dependencies' ? 'dependents' : 'dependencies');
  const open = new Map([...before].map(([id, set]) => [id, set.size]));
  const result = new Map<string, number>();
  const deepest = new Map<string, number>();
  const queue = nodes.filter((node) => open.get(node.id) === 0).map((node) => node.id);
  for (let i = 0; i < queue.length; i += 1) {
    const id = queue[i] ?? '';
    if (result.has(id)) continue;
    const depth = (deepest.get(id) ?? 0) + 1;
    result.set(id, depth);
    for (const next of after.get(id) ?? []) {
      deepest.set(next, Math.max(deepest.get(next) ?? 0, depth));
      const left = (open.get(next) ?? 0) - 1;
      open.set(next, left);
      if (left === 0) queue.push(next);
    }
  }
  return result;
}

/** Nodes that no order reaches: in a cycle, or behind one. */
function unordered(
  nodes: readonly GraphNode[],
  behind: 'dependencies' | 'dependents',
): readonly string[] {
  const ordered = depths(nodes, behind === 'dependents' ? 'dependencies' : 'dependents');
  return nodes.filter((node) => !ordered.has(node.id)).map((node) => node.id);
}

function shortestCycle(nodes: readonly GraphNode[], start: string): readonly string[] | null {
  const next = neighbours(nodes, 'dependencies');
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let i = 0; i < queue.length; i += 1) {
    const id = queue[i] ?? '';
    for (const on of [...(next.get(id) ?? [])].sort(compare)) {
      if (on === start) {
        const path = [start];
        for (let back = id; back !== start; back = cameFrom.get(back) ?? start) path.unshift(back);
        return [start, ...path];
      }
      if (cameFrom.has(on)) continue;
      cameFrom.set(on, id);
      queue.push(on);
    }
  }
  return null;
}
