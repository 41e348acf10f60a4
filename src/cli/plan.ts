/** `czar plan show|waves|graph`: the plan as it would run. */
import { Option } from 'commander';
import { waveOf, waves } from '../core/graph.ts';
import type { Plan, WorkerDefinition } from '../core/plan.ts';
import { formatGraph, graphFormats, graphOf, type GraphFormat } from '../plan/graph-formats.ts';
import { findPlace } from './find-place.ts';
import { openPlan, plural } from './plan-files.ts';
import type { CliContext, Verb } from './verb.ts';

export const verb: Verb = {
  define: (command, context) => {
    command
      .command('show')
      .description('every worker with its wave, agent (and why that one), and dependencies')
      .action(() => withPlan(context, show));
    command
      .command('waves')
      .description('which workers could run at the same time, level by level')
      .action(() => withPlan(context, showWaves));
    command
      .command('graph')
      .description('nodes and edges')
      .addOption(new Option('--format <format>', 'how').choices(graphFormats).default('text'))
      .action((options: { readonly format: GraphFormat }) =>
        withPlan(context, (plan) => {
          if (context.options.json) context.out.json(graphOf(plan));
          else context.out.exact(formatGraph(plan, options.format));
        }),
      );
  },
};

function withPlan(context: CliContext, use: (plan: Plan, context: CliContext) => void): void {
  const place = findPlace(context);
  if (place === null) return;
  const opened = openPlan(context, place);
  if (opened === null) return;
  use(opened.plan, context);
  for (const note of opened.loaded.notes) context.out.note({ text: 'note: ', style: 'cyan' }, note);
}

function show(plan: Plan, context: CliContext): void {
  const { out, options } = context;
  if (options.json) {
    out.json({ v: 1, plan });
    return;
  }
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
      worker.agent.name,
      { text: worker.agent.why, style: 'dim' as const },
      after(worker),
    ]),
  ]);
}

function after(worker: WorkerDefinition): string {
  const names = worker.edges.map(({ on, kind }) => (kind === 'output' ? on : `${on} (${kind})`));
  return names.length === 0 ? '-' : names.join(', ');
}

function showWaves(plan: Plan, context: CliContext): void {
  const levels = waves(plan.workers);
  if (context.options.json) context.out.json({ v: 1, waves: levels });
  else levels.forEach((ids, index) => context.out.line(`Wave ${index + 1}: ${ids.join(', ')}`));
}
