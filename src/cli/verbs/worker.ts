/** `czar worker new|show`: one worker's definition. */
import { attemptLimitsOf, limitsText } from '../../core/attempt-limits.ts';
import type { Edge, WorkerDefinition } from '../../core/plan.ts';
import { amountText } from '../../core/lack-text.ts';
import { tokenLimit } from '../../core/plan.ts';
import { firstAgent } from '../../core/schedule/which-agent.ts';
import { formatDuration } from '../../plan/duration.ts';
import { writeTemplate } from '../../plan/new-worker.ts';
import { configSources } from '../config-sources.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import { isObstructed } from '../obstacle.ts';
import { missingHere, whyText } from './plan.ts';
import { openPlan, plannedWorker } from '../plan-files.ts';
import type { Cell } from '../render.ts';
import type { CliContext, Verb } from '../verb.ts';
import { workerDocument } from '../plan-document.ts';

export const verb: Verb = {
  define: (command, context) => {
    command
      .command('new')
      .description('write a worker file to fill in')
      .argument('<id>', 'lower-case letters and digits, with . _ or - between')
      .action((id: string) => create(id, context));
    command
      .command('show')
      .description('a worker as it would run')
      .argument('<id>')
      .action((id: string) => show(id, context));
  },
};

function create(id: string, context: CliContext): void {
  const place = findPlace(context);
  if (place === null || isObstructed(context, place, { folders: ['workers'] })) return;
  const written = writeTemplate({ ...place, sources: configSources(context) }, id);
  switch (written.kind) {
    case 'invalid':
      return context.fail({ exit: exits.wrong, what: written.message });
    case 'exists':
      return context.fail({
        exit: exits.refused,
        what: 'the file exists already',
        where: written.file,
      });
    case 'written':
      if (context.options.json) context.out.json({ v: 1, id, file: written.file });
      else context.out.line(written.file);
      return context.out.note('next: fill it in, then czar validate');
  }
}

function show(id: string, context: CliContext): void {
  const place = findPlace(context);
  if (place === null) return;
  const opened = openPlan(context, place);
  if (opened === null) return;
  const worker = plannedWorker(context, opened.plan, id);
  if (worker === null) return;
  const missing = missingHere(context, opened.plan, place.root);
  if (context.options.json) context.out.json({ v: 1, worker: workerDocument(worker, missing) });
  else print(worker, context, missing);
}

function print(worker: WorkerDefinition, context: CliContext, missing: readonly string[]): void {
  const { out } = context;
  const limit = tokenLimit(worker.budget);
  const rows: (readonly [string, string | null])[] = [
    ['role', worker.role],
    ['mission', worker.mission],
    ['first action', worker.firstAction],
    ['agent', `${firstAgent(worker, missing).name} (${whyText(worker, missing)})`],
    ['branch', worker.branch],
    ['workspace', worker.workspace === 'branch' ? null : worker.workspace],
    ['after', joined(worker.edges.map(edgeText))],
    ['tokens', limit === null ? null : `${worker.budget?.tokens ?? 'no estimate'}, limit ${limit}`],
    ['deliverables', joined(worker.deliverables)],
    ['owns', worker.owns === null ? null : joined(worker.owns)],
    ['references', joined(worker.references)],
    ['verify', joined(worker.verify)],
    ['setup', joined(worker.setup)],
    ['priority', worker.priority],
    [
      'resources',
      joined(
        Object.entries(worker.resources ?? {}).map(([name, { amount, mode }]) =>
          mode === 'share' ? `${name} ${amountText(name, amount)}` : `${name} (${mode})`,
        ),
      ),
    ],
    ['attempts', `at most ${worker.retry.maxAttempts}`],
    ['timeout', worker.timeoutMs === null ? null : formatDuration(worker.timeoutMs)],
    [
      'stalls after',
      worker.stall === undefined
        ? null
        : `${formatDuration(worker.stall.afterMs)}${worker.stall.restart ? ', then begins again' : ''}`,
    ],
    ['limits', limitsText(attemptLimitsOf(worker))],
    ['when', worker.when],
    ['approval', worker.approve === true ? 'a person is asked before each launch' : null],
    ['defined in', `${worker.source.file}:${worker.source.line}`],
  ];
  out.line({ text: worker.id, style: 'bold' });
  out.table(
    rows.flatMap(([name, value]): readonly (readonly Cell[])[] =>
      value === null ? [] : [[{ text: name, style: 'dim' }, value]],
    ),
    { indent: 2 },
  );
  for (const task of worker.tasks) out.line(`  [ ] ${task}`);
}

function edgeText({ on, kind, requires }: Edge): string {
  const facts = [kind === 'output' ? null : kind, requires === 'complete' ? null : requires];
  const said = facts.filter((fact) => fact !== null);
  return said.length === 0 ? on : `${on} (${said.join(', ')})`;
}

function joined(list: readonly string[]): string | null {
  return list.length === 0 ? null : list.join(', ');
}
