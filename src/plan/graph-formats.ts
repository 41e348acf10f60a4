/** The graph of a plan as JSON, Mermaid, DOT or text. The same plan gives the same bytes. */
import { waveOf, waves } from '../core/graph.ts';
import type { Edge, Plan } from '../core/plan.ts';

export const graphFormats = ['text', 'json', 'mermaid', 'dot'] as const;
export type GraphFormat = (typeof graphFormats)[number];

/** Nodes and edges; an edge goes from the dependency to the worker that depends on it. */
export interface PlanGraph {
  readonly v: 1;
  readonly nodes: readonly {
    readonly id: string;
    readonly wave: number;
    readonly role: string | null;
    readonly agent: string;
  }[];
  readonly edges: readonly {
    readonly from: string;
    readonly to: string;
    readonly kind: Edge['kind'];
    readonly requires: Edge['requires'];
    readonly via: Edge['via'];
    readonly reason: string | null;
  }[];
}

/** The graph of a plan, nodes in plan order. */
export function graphOf(plan: Plan): PlanGraph {
  const wave = waveOf(plan.workers);
  return {
    v: 1,
    nodes: plan.workers.map(({ id, role, agent }) => ({
      id,
      wave: wave.get(id) ?? 0,
      role,
      agent: agent.name,
    })),
    edges: plan.workers.flatMap(({ id, edges }) =>
      edges.map(({ on, kind, requires, via, reason }) => ({
        from: on,
        to: id,
        kind,
        requires,
        via,
        reason,
      })),
    ),
  };
}

/** The graph as text in one of the formats, with a line break at its end. */
export function formatGraph(plan: Plan, format: GraphFormat): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(graphOf(plan))}\n`;
    case 'mermaid':
      return mermaid(plan);
    case 'dot':
      return dot(plan);
    case 'text':
      return text(plan);
  }
}

function text(plan: Plan): string {
  const byId = new Map(plan.workers.map((worker) => [worker.id, worker]));
  const lines = waves(plan.workers).flatMap((ids, index) => [
    `wave ${index + 1}`,
    ...ids.map((id) => {
      const edges = (byId.get(id)?.edges ?? []).map(edgeText);
      return edges.length === 0 ? `  ${id}` : `  ${id} ← ${edges.join(', ')}`;
    }),
  ]);
  return lines.map((line) => `${line}\n`).join('');
}

function edgeText(edge: Edge): string {
  const facts = [
    edge.kind === 'output' ? null : edge.kind,
    edge.requires === 'complete' ? null : edge.requires,
    edge.reason,
  ].filter((fact) => fact !== null);
  return facts.length === 0 ? edge.on : `${edge.on} (${facts.join(', ')})`;
}

const arrows: Readonly<Record<Edge['kind'], string>> = {
  output: '-->',
  knowledge: '-.->',
  sequential: '==>',
};

function mermaid(plan: Plan): string {
  // Ids hold characters that Mermaid does not allow in names, so nodes are numbered.
  const names = new Map(plan.workers.map(({ id }, index) => [id, `w${index + 1}`]));
  const lines = ['flowchart LR'];
  for (const { id } of plan.workers) lines.push(`  ${names.get(id)}["${id}"]`);
  for (const { from, to, kind, reason } of graphOf(plan).edges) {
    const label =
      reason === null
        ? ''
        : `|"${reason.replace(/["|\\`<>&#;]/g, (sign) => `#${sign.charCodeAt(0)};`)}"|`;
    lines.push(`  ${names.get(from)} ${arrows[kind]}${label} ${names.get(to)}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

const styles: Readonly<Record<Edge['kind'], string>> = {
  output: 'solid',
  knowledge: 'dashed',
  sequential: 'bold',
};

function dot(plan: Plan): string {
  const quote = (value: string): string => `"${value.replace(/["\\]/g, '\\$&')}"`;
  const lines = ['digraph plan {', '  rankdir=LR;'];
  for (const { id } of plan.workers) lines.push(`  ${quote(id)};`);
  for (const { from, to, kind, reason } of graphOf(plan).edges) {
    const label = reason === null ? '' : `, label=${quote(reason)}`;
    lines.push(`  ${quote(from)} -> ${quote(to)} [style=${styles[kind]}${label}];`);
  }
  lines.push('}');
  return lines.map((line) => `${line}\n`).join('');
}
