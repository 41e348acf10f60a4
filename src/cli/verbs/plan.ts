/** `czar plan show|waves|graph|diff|amend`: the plan as it would run, and as a run has it. */
import { Option } from 'commander';
import { waveOf, waves } from '../../core/graph.ts';
import type { Plan, WorkerDefinition } from '../../core/plan.ts';
import { permissionNotes } from '../../daemon/permission-notes.ts';
import { formatGraph, graphFormats, graphOf, type GraphFormat } from '../../plan/graph-formats.ts';
import { replaceable } from '../../daemon/missing-agents.ts';
import { firstAgent } from '../../core/schedule/which-agent.ts';
import { findPlace } from '../find-place.ts';
import { planDocument } from '../plan-document.ts';
import { amendPlan, showDifferences } from './plan-changes.ts';
import { openPlan, plural } from '../plan-files.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define: (command, context) => {
    const verbs: readonly (readonly [string, string, View])[] = [
      ['show', 'every worker with its wave, agent (and why that one), and dependencies', showPlan],
      ['waves', 'which workers could run at the same time, level by level', showWaves],
      ['graph', 'nodes and edges', showGraph],
    ];
    for (const [name, description, view] of verbs) {
      command
        .command(name)
        .description(description)
        .addOption(
          new Option('--format <format>', 'how; mermaid and dot give the graph')
            .choices(graphFormats)
            .default('text'),
        )
        .action(({ format }: { readonly format: GraphFormat }) =>
          withPlan(context, (plan, missing) => {
            const chosen = context.options.json ? 'json' : format;
            if (chosen === 'json') context.out.json(view.json(plan, missing));
            else if (chosen === 'text') view.text(plan, context, missing);
            else context.out.exact(formatGraph(plan, chosen));
          }),
        );
    }
    command
      .command('diff')
      .description('how the files differ from what the run has')
      .action(() => showDifferences(context));
    command
      .command('amend')
      .description(
        'take the files into the run: what is under way or complete stays, or is refused by name',
      )
      .action(async () => amendPlan(context));
  },
};

interface View {
  /** `missing` are the agents that are not installed here and whose place others take. */
  readonly json: (plan: Plan, missing: readonly string[]) => object;
  readonly text: (plan: Plan, context: CliContext, missing: readonly string[]) => void;
}

function withPlan(
  context: CliContext,
  use: (plan: Plan, missing: readonly string[]) => void,
): void {
  const place = findPlace(context);
  if (place === null) return;
  const opened = openPlan(context, place);
  if (opened === null) return;
  use(opened.plan, missingHere(context, opened.plan, place.root));
  for (const note of opened.loaded.notes) context.out.note({ text: 'note: ', style: 'cyan' }, note);
}

const showPlan: View = {
  json: (plan, missing) => ({ v: 1, plan: planDocument(plan, missing) }),
  text: printPlan,
};

const showWaves: View = {
  json: (plan) => ({ v: 1, waves: waves(plan.workers) }),
  text: (plan, { out }) =>
    waves(plan.workers).forEach((ids, index) => out.line(`Wave ${index + 1}: ${ids.join(', ')}`)),
};

const showGraph: View = {
  json: graphOf,
  text: (plan, { out }) => out.exact(formatGraph(plan, 'text')),
};

/** Agents of the plan that are not installed here and whose place others take. */
export function missingHere(context: CliContext, plan: Plan, root: string): readonly string[] {
  return [...replaceable(plan, { path: context.env['PATH'] ?? '', root }).keys()];
}

function printPlan(plan: Plan, { out }: CliContext, missing: readonly string[]): void {
  const wave = waveOf(plan.workers);
  out.line(
    { text: plan.name, style: 'bold' },
    `  ${plural(plan.workers.length, 'worker')}, revision ${plan.revision.slice(0, 12)}`,
  );
  out.line();
  out.table([
    ['WAVE', 'WORKER', 'AGENT', 'WHY', 'AFTER'].map((text) => ({ text, style: 'dim' as const })),
    ...plan.workers.map((worker) => [
      String(wave.get(worker.id) ?? '?'),
      { text: worker.id, style: 'bold' as const },
      firstAgent(worker, missing).name,
      { text: whyText(worker, missing), style: 'dim' as const },
      after(worker),
    ]),
  ]);
  out.line();
  for (const note of permissionNotes(plan)) out.line(note);
}

/** Why its agent, why another one in its place, and who would be next. */
export function whyText(worker: WorkerDefinition, missing: readonly string[]): string {
  const { agent, fallback = [] } = worker;
  const first = firstAgent(worker, missing);
  const own = first.why === null ? agent.why : `${first.why}; that is ${agent.why}`;
  const next = fallback.slice(fallback.indexOf(first.name) + 1);
  return next.length === 0 ? own : `${own}; else ${next.join(', ')}`;
}

function after(worker: WorkerDefinition): string {
  const names = worker.edges.map(({ on, kind }) => (kind === 'output' ? on : `${on} (${kind})`));
  return names.length === 0 ? '-' : names.join(', ');
}
