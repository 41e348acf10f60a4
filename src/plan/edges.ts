/**
 * From dependencies as written to edges: ids are looked up, phases and `all` become the workers that they mean,
 * defaults are filled in, and what cannot be is refused where it stands.
 */
import { expandAll, findCycles, type UnexpandedNode } from '../core/graph.ts';
import type { Edge } from '../core/plan.ts';
import { quoted, report, type Problems } from './diagnostics.ts';
import type { At, DraftDependency, WorkerDraft } from './draft.ts';
import { list, idProblem, none } from './fields.ts';
import { normalPath } from './globs.ts';
import { nearest } from './nearest.ts';

/** An edge with the place that it comes from. */
interface PlacedEdge {
  readonly edge: Edge;
  readonly at: At;
}

/**
 * The edges of each worker. With problems noted the result is what could be understood. `broken` are ids of workers
 * whose files have problems of their own: to depend on them is no further problem.
 */
export function resolveEdges(
  drafts: readonly WorkerDraft[],
  problems: Problems,
  broken: ReadonlySet<string>,
): ReadonlyMap<string, readonly Edge[]> {
  const byId = new Map(drafts.map((draft) => [draft.id, draft]));
  const placed = new Map<string, PlacedEdge[]>();
  const phases = phasesOf(drafts);
  if (tooMany(drafts, phases, problems)) return new Map();
  for (const draft of drafts) {
    const edges = (draft.dependencies ?? []).flatMap((one) =>
      written(draft, one, { byId, phases, problems, broken }),
    );
    placed.set(draft.id, [...edges, ...phaseBarrier(draft, { byId, phases })]);
  }
  const qa = onlyQa(drafts, problems);
  const nodes: readonly UnexpandedNode[] = drafts.map((draft) => ({
    id: draft.id,
    on: (placed.get(draft.id) ?? []).map(({ edge }) => edge.on),
    all: saysAll(draft),
    // Of two that say so, which is refused, the first counts.
    qa: draft === qa,
  }));
  for (const [id, added] of expandAll(nodes)) {
    const draft = byId.get(id);
    if (draft === undefined) continue;
    const word = draft.dependencies?.find((one) => one.kind === 'all');
    const at = word?.at ?? { source: draft.source, range: draft.begin };
    const field = word?.kind === 'all' ? word.field : {};
    const edges = added.flatMap((on) =>
      edgeOf(draft, { on, field, via: 'all', at }, { byId, problems }),
    );
    placed.get(id)?.push(...edges);
  }
  refuseCycles(placed, problems);
  const alike = new Map<string, Edge>();
  return new Map(
    [...placed].map(([id, edges]) => [
      id,
      collapse(edges.map(({ edge }) => edge)).map((edge) => oneOf(alike, edge)),
    ]),
  );
}

/** An edge that is equal to this one: what thousands have to one worker is held once. */
function oneOf(known: Map<string, Edge>, edge: Edge): Edge {
  const key = JSON.stringify(edge);
  const found = known.get(key) ?? edge;
  known.set(key, found);
  return found;
}

/** Most edges of a plan, counting those that phases and `all` stand for. */
const mostEdges = 1_000_000;

/** Workers by phase, phases in ascending order. */
type Phases = ReadonlyMap<number, readonly WorkerDraft[]>;

function phasesOf(drafts: readonly WorkerDraft[]): Phases {
  const inPhases = drafts.filter(({ phase }) => phase !== null);
  const sorted = inPhases.toSorted((a, b) => (a.phase ?? 0) - (b.phase ?? 0));
  return Map.groupBy(sorted, ({ phase }) => phase ?? 0);
}

/** Whether the plan has more edges than can be dealt with; it has been said then. */
function tooMany(drafts: readonly WorkerDraft[], phases: Phases, problems: Problems): boolean {
  const everybody = drafts.filter(saysAll);
  let edges = everybody.length * drafts.length;
  let before = 0;
  for (const members of phases.values()) {
    edges += members.length * before;
    before = members.length;
  }
  for (const { dependencies } of drafts) {
    for (const one of dependencies ?? [])
      edges += one.kind === 'phase' ? (phases.get(one.phase)?.length ?? 0) : 1;
  }
  const [first] = [...everybody, ...drafts];
  if (edges <= mostEdges || first === undefined) return false;
  report(problems, first.valueAt('dependencies'), {
    message: `the plan has more than ${mostEdges} dependencies`,
    hint: 'a worker on which many depend can stand between many and many',
  });
  return true;
}

interface Plan {
  readonly byId: ReadonlyMap<string, WorkerDraft>;
  readonly phases: Phases;
  readonly problems: Problems;
  readonly broken: ReadonlySet<string>;
}

function written(draft: WorkerDraft, one: DraftDependency, plan: Plan): readonly PlacedEdge[] {
  const { byId, phases, problems, broken } = plan;
  if (one.kind === 'all') return [];
  if (one.kind === 'phase') {
    const members = (phases.get(one.phase) ?? []).filter((other) => other.id !== draft.id);
    if (members.length === 0) {
      report(problems, one.at, {
        severity: 'warning',
        message: `no worker is in phase ${one.phase}`,
        hint: 'this dependency is left out',
      });
    }
    return members.flatMap(({ id }) =>
      edgeOf(draft, { on: id, field: {}, via: 'phase', at: one.at }, { byId, problems }),
    );
  }
  const { on, field, at } = one;
  if (on === draft.id) {
    report(problems, at, {
      message: `"${on}" depends on itself`,
      hint: 'take this dependency out',
    });
    return [];
  }
  if (!byId.has(on)) {
    if (broken.has(on)) return [];
    const near = nearest(on, byId.keys());
    const shape = idProblem(on);
    const hint =
      near !== null
        ? `did you mean "${near}"?`
        : (shape ?? `write a worker file for it, or take it out`);
    report(problems, at, {
      message: `"${draft.id}" depends on ${quoted(on)}, which does not exist`,
      hint,
    });
    return [];
  }
  return edgeOf(draft, { on, field, via: 'explicit', at }, { byId, problems });
}

/** Phases are barriers: a worker depends on every worker of the phase before its own. */
function phaseBarrier(
  draft: WorkerDraft,
  plan: Pick<Plan, 'byId' | 'phases'>,
): readonly PlacedEdge[] {
  const { phase } = draft;
  if (phase === null) return [];
  const last = [...plan.phases.keys()].findLast((one) => one < phase);
  if (last === undefined) return [];
  const at = draft.valueAt('phase');
  return (plan.phases.get(last) ?? []).flatMap((other) =>
    edgeOf(
      draft,
      { on: other.id, field: {}, via: 'phase', at },
      { byId: plan.byId, problems: { list: [] } },
    ),
  );
}

function edgeOf(
  draft: WorkerDraft,
  from: {
    readonly on: string;
    readonly field: Extract<DraftDependency, { kind: 'all' }>['field'];
    readonly via: Edge['via'];
    readonly at: At;
  },
  plan: { readonly byId: ReadonlyMap<string, WorkerDraft>; readonly problems: Problems },
): readonly PlacedEdge[] {
  const { field, via, at } = from;
  // The text that the worker itself has, once for all edges to it.
  const on = plan.byId.get(from.on)?.id ?? from.on;
  const empty =
    draft.fields.workspace === 'empty' || plan.byId.get(on)?.fields.workspace === 'empty';
  const kind = field.kind ?? (empty ? 'knowledge' : 'output');
  const requires =
    field.requires === undefined || field.requires === 'merged' ? 'complete' : field.requires;
  const inputs = field.inputs === undefined ? none : list(field.inputs).map(normalPath);
  const refuse = (message: string, hint: string): void =>
    report(plan.problems, at, { message, hint });
  if (kind === 'output' && empty) {
    refuse(
      `an output dependency between "${draft.id}" and "${on}", one of which has an empty workspace`,
      'kind: knowledge or sequential',
    );
  }
  if (kind === 'output' && requires !== 'complete') {
    refuse(
      `an output dependency on "${on}" cannot require only ${requires}: its commits are there once it is merged`,
      'requires: complete, or another kind',
    );
  }
  if (kind !== 'output' && inputs.length > 0) {
    refuse(
      `inputs of a ${kind} dependency on "${on}": only output brings files`,
      'kind: output, or no inputs',
    );
  }
  const edge = {
    on,
    kind,
    requires,
    allowSkipped: field.allow_skipped ?? false,
    inputs,
    reason: field.reason ?? null,
    via,
  };
  return [{ edge, at }];
}

/** One edge for each dependency and kind: what is written out goes before what is implied. */
function collapse(edges: readonly Edge[]): readonly Edge[] {
  const result = new Map<string, Edge>();
  for (const edge of edges) {
    const key = `${edge.kind} ${edge.on}`;
    const before = result.get(key);
    if (before === undefined) result.set(key, edge);
    else if (edge.via === 'explicit' && before.via === 'explicit') {
      result.set(key, {
        ...before,
        requires:
          strictest.find((one) => one === before.requires || one === edge.requires) ?? 'complete',
        allowSkipped: before.allowSkipped && edge.allowSkipped,
        inputs: [...new Set([...before.inputs, ...edge.inputs])],
        reason: before.reason ?? edge.reason,
      });
    }
  }
  return [...result.values()];
}

const strictest = ['complete', 'approved', 'verified'] as const;

function saysAll(draft: WorkerDraft): boolean {
  if (draft.dependencies === null) return isQa(draft);
  return draft.dependencies.some((one) => one.kind === 'all');
}

function isQa(draft: WorkerDraft): boolean {
  return draft.fields.role?.trim().toLowerCase() === 'qa';
}

function onlyQa(drafts: readonly WorkerDraft[], problems: Problems): WorkerDraft | undefined {
  const [first, ...others] = drafts.filter((draft) => isQa(draft) && saysAll(draft));
  for (const other of others) {
    report(problems, other.valueAt('role'), {
      message: `"${first?.id}" and "${other.id}" both have role: qa and depend on all, so each would wait for the other`,
      hint: 'write the dependencies of one of them out',
    });
  }
  return first;
}

function refuseCycles(
  placed: ReadonlyMap<string, readonly PlacedEdge[]>,
  problems: Problems,
): void {
  const nodes = [...placed].map(([id, edges]) => ({ id, edges: edges.map(({ edge }) => edge) }));
  for (const cycle of findCycles(nodes)) {
    const [from = '', to = ''] = cycle;
    const at = placed.get(from)?.find(({ edge }) => edge.on === to)?.at;
    if (at === undefined) continue;
    report(problems, at, {
      message: `the dependencies go in a circle: ${cycle.join(' → ')}`,
      hint: 'take one of these dependencies out',
    });
  }
}
