/**
 * Which agent gets a worker: what its definition says, else the preference for its id or role, else the first rule that
 * fits, else the default; and who takes its place.
 */
import * as z from 'zod';
import { globsOverlap } from '../core/overlap.ts';
import type { WorkerDefinition } from '../core/plan.ts';
import type { WorkerDraft } from './draft.ts';
import { glob, line, list, listOf } from './fields.ts';
import { normalGlob } from './globs.ts';
import { looseAgent } from './loose.ts';
import { technologyNames, technologyOf } from './technology.ts';

export const agentName = z
  .string()
  .regex(
    /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
    'the name of an agent is lower-case letters and digits with . _ or - between',
  )
  .max(64, 'more than 64 characters');

const rule = z
  .strictObject({
    labels: z
      .record(z.string(), line)
      .refine((labels) => Object.keys(labels).length > 0, 'expected at least one label')
      .optional()
      .meta({ description: 'Labels that the worker must have, all of them.' }),
    deliverables: listOf(glob, 'a pattern')
      .optional()
      .meta({ description: 'Patterns, one of which a deliverable of the worker must meet.' }),
    technology: listOf(
      z.string().refine((name) => technologyNames.includes(name), {
        error: () => `expected one of ${technologyNames.join(', ')}`,
      }),
      'a technology',
    )
      .optional()
      .meta({ description: 'What the worker is written in, as its files and words tell.' }),
    agent: agentName.meta({ description: 'Who gets it.' }),
  })
  .refine(
    ({ labels, deliverables, technology }) =>
      labels !== undefined || deliverables !== undefined || technology !== undefined,
    'a rule needs labels, deliverables or technology',
  );

export const agentRulesSchema = z.array(rule).max(200, 'more than 200 rules');

export type AgentRule = z.infer<typeof rule>;

/** What a configuration says of who gets which work. */
export interface Assignment {
  readonly default: { readonly name: string; readonly why: string };
  /** Agent by worker id or role. */
  readonly preferences: Readonly<Record<string, string>>;
  /** The first that fits counts. */
  readonly rules: readonly AgentRule[];
  /** Who takes the place of an agent that cannot work now, where a worker says nothing. */
  readonly fallback: readonly string[];
}

/** The worker's agent, with why that one. */
export function chooseAgent(draft: WorkerDraft, assignment: Assignment): WorkerDefinition['agent'] {
  const { agent, role } = draft.fields;
  const { preferences, rules } = assignment;
  if (agent !== undefined) return { name: agent, why: 'written in its definition' };
  for (const key of [draft.id, role, role?.toLowerCase()]) {
    const preferred =
      key !== undefined && Object.hasOwn(preferences, key) ? preferences[key] : undefined;
    if (preferred !== undefined) return { name: preferred, why: `agents.preferences of ${key}` };
  }
  const technology = rules.some((one) => one.technology !== undefined) ? technologyOf(draft) : null;
  for (const [place, one] of rules.entries()) {
    const fits = whyFits(one, draft, technology);
    if (fits !== null) return { name: one.agent, why: `agents.rules ${place + 1}: ${fits}` };
  }
  return assignment.default;
}

/** Who takes the place of the worker's agent, in this order. */
export function fallbackOf(
  { fields }: WorkerDraft,
  { fallback }: Assignment,
  agent: string,
): Pick<WorkerDefinition, 'fallback'> {
  const names =
    fields.fallback === undefined
      ? fallback
      : list(fields.fallback).flatMap((written) => looseAgent(written) ?? []);
  const others = [...new Set(names)].filter((name) => name !== agent);
  return others.length === 0 ? {} : { fallback: others };
}

/** What of the worker the rule is about, in a few words; null when it does not fit. */
function whyFits(rule: AgentRule, draft: WorkerDraft, technology: string | null): string | null {
  const said: string[] = [];
  if (rule.labels !== undefined) {
    const { labels = {} } = draft.fields;
    const wanted = Object.entries(rule.labels);
    if (!wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value))
      return null;
    said.push(`labels ${wanted.map((pair) => pair.join('=')).join(', ')}`);
  }
  if (rule.deliverables !== undefined) {
    const patterns = list(rule.deliverables).map(normalGlob);
    const met = list(draft.fields.deliverables).find((one) =>
      patterns.some((pattern) => globsOverlap(pattern, normalGlob(one))),
    );
    if (met === undefined) return null;
    said.push(`deliverables ${met}`);
  }
  if (rule.technology !== undefined) {
    if (technology === null || !list(rule.technology).includes(technology)) return null;
    said.push(`technology ${technology}`);
  }
  return said.join(', ');
}
