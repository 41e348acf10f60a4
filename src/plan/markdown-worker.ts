/**
 * The Czarina form of a worker file: a heading, bold fields, then sections. It is loose: what is not understood is
 * quoted in a warning.
 */
import { quoted, report, type Problems, type Range } from './diagnostics.ts';
import type { At, DraftDependency, DraftFields, WorkerDraft } from './draft.ts';
import { workBranchProblem, idProblem } from './fields.ts';
import { globProblem } from './globs.ts';
import { looseAgent, looseDependencies, loosePriority, looseTokens } from './loose.ts';
import {
  parseMarkdown,
  plainText,
  tasksOf,
  type BoldField,
  type Item,
  type Markdown,
} from './markdown.ts';
import type { SourceFile } from './source.ts';
import { nearest } from './nearest.ts';

/** The draft of a Markdown worker, or null when the file has neither a known bold field nor a heading for one. */
export function readMarkdownWorker(
  source: SourceFile,
  options: { readonly id: string; readonly problems: Problems; readonly prose: boolean },
): WorkerDraft | null {
  const { problems } = options;
  const markdown = parseMarkdown(source, { start: 0, end: source.text.length });
  if (!options.prose && !markdown.fields.some((field) => known.has(keyOf(field)))) return null;
  const reading: Reading = {
    source,
    problems,
    fields: {},
    ranges: new Map(),
    dependencies: null,
    id: null,
    phase: null,
  };
  for (const field of markdown.fields) readField(reading, field);
  readSections(reading, markdown);

  const begin = { start: 0, end: Math.max(1, source.text.indexOf('\n')) };
  const at = (range: Range): At => ({ source, range });
  const id = reading.id ?? options.id;
  const problem = idProblem(id);
  if (problem !== null) {
    report(problems, at(begin), {
      message: `${problem} (it is the name of the file)`,
      hint: 'rename the file',
    });
    return null;
  }
  const { fields, dependencies, phase, ranges } = reading;
  const place = (field: string): At => at(ranges.get(field) ?? begin);
  return {
    id,
    fields,
    dependencies,
    instructions: source.text.replaceAll('\r\n', '\n').trim(),
    phase,
    position: 0,
    source,
    begin,
    valueAt: place,
    keyAt: place,
  };
}

interface Reading {
  readonly source: SourceFile;
  readonly problems: Problems;
  readonly fields: DraftFields;
  readonly ranges: Map<string, Range>;
  dependencies: readonly DraftDependency[] | null;
  id: string | null;
  phase: number | null;
}

const known: ReadonlySet<string> = new Set([
  'id',
  'worker id',
  'role',
  'agent',
  'branch',
  'dependencies',
  'depends on',
  'mission',
  'first action',
  'phase',
  'priority',
  'token budget',
  'budget',
]);

function keyOf(field: BoldField): string {
  return field.name.toLowerCase().replace(/\s+/g, ' ');
}

function readField(reading: Reading, field: BoldField): void {
  const { fields } = reading;
  const value = plainText(field.value);
  const key = keyOf(field);
  const doubt = (severity: 'error' | 'warning', message: string, hint: string | null): void =>
    report(
      reading.problems,
      { source: reading.source, range: field.range },
      { severity, message, hint },
    );
  const said = `${field.name}: ${quoted(field.value)}`;
  const note = (name: string): void => void reading.ranges.set(name, field.range);
  switch (key) {
    case 'id':
    case 'worker id':
      reading.id = value;
      return note('id');
    case 'role':
      if (value !== '') fields.role = value;
      return note('role');
    case 'mission':
      if (value !== '') fields.mission = value;
      return note('mission');
    case 'first action':
      if (value !== '') fields.first_action = value;
      return note('first_action');
    case 'agent': {
      const agent = looseAgent(value);
      if (typeof agent === 'string') fields.agent = agent;
      else if (agent === undefined)
        doubt('warning', `${said} is no agent that is understood`, 'the default is used');
      return note('agent');
    }
    case 'branch': {
      const problem = workBranchProblem(value);
      if (value !== '' && problem !== null) doubt('error', `${said}: ${problem}`, null);
      else if (value !== '') fields.branch = value;
      return note('branch');
    }
    case 'phase':
      if (/^\d{1,4}$/.test(value)) reading.phase = Number(value);
      else
        doubt(
          'warning',
          `${said} is no phase that is understood`,
          'a number is expected; it has no phase',
        );
      return note('phase');
    case 'priority': {
      const word = value.toLowerCase();
      const priority = loosePriority(value) ?? priorities.find((one) => one === word) ?? null;
      if (priority === null)
        doubt('warning', `${said} is no priority that is understood`, 'it is taken as normal');
      else fields.priority = priority;
      return note('priority');
    }
    case 'token budget':
    case 'budget': {
      const tokens = looseTokens(value);
      if (tokens === null)
        doubt('warning', `${said} is no number of tokens that is understood`, 'it has no budget');
      else fields.budget = { tokens };
      return note('budget');
    }
    case 'dependencies':
    case 'depends on':
      note('dependencies');
      reading.dependencies = readDependencies(reading, field.value, field.range);
      return;
    case undefined:
      return;
    default: {
      const near = nearest(key, known);
      doubt(
        'warning',
        `${said} is not understood`,
        near === null ? 'it is text for the agent only' : `did you mean ${near}?`,
      );
    }
  }
}

const priorities = ['critical', 'high', 'normal', 'low'] as const;

function readDependencies(
  reading: Reading,
  text: string,
  range: Range,
): readonly DraftDependency[] {
  const at = { source: reading.source, range };
  return looseDependencies(text).flatMap((one): readonly DraftDependency[] => {
    if (one.kind === 'id') return [{ kind: 'id', on: one.on, field: {}, at }];
    if (one.kind === 'phase') return [{ kind: 'phase', phase: one.phase, at }];
    if (one.kind === 'all') return [{ kind: 'all', field: {}, at }];
    report(reading.problems, at, {
      severity: 'warning',
      message: `${quoted(one.words)} is no dependency that is understood`,
      hint: 'write ids with commas between them; this part is left out',
    });
    return [];
  });
}

/** What sections say, where no bold field has said it. */
function readSections(reading: Reading, markdown: Markdown): void {
  const { fields } = reading;
  const section = (...titles: readonly string[]) =>
    markdown.sections.find((one) =>
      titles.some((title) => one.title === title || one.title === `your ${title}`),
    );
  const mission = section('mission')?.body;
  if (fields.mission === undefined && mission !== undefined && mission !== '')
    fields.mission = mission;
  const action = section('first action')?.body;
  if (fields.first_action === undefined && action !== undefined && action !== '')
    fields.first_action = action;
  const dependencies = section('dependencies');
  if (reading.dependencies === null && dependencies !== undefined) {
    const found =
      dependencies.items.length > 0
        ? dependencies.items.flatMap((item) => readDependencies(reading, item.text, item.range))
        : readDependencies(reading, dependencies.body, dependencies.range);
    reading.dependencies = found;
  }
  const tasks = tasksOf(markdown).map((item) => item.text);
  if (tasks.length > 0) fields.tasks = tasks;
  const criteria = section('success criteria')?.items.map((item) => item.text) ?? [];
  if (criteria.length > 0) fields.success_criteria = criteria;
  const deliverables =
    section('deliverables')?.items.flatMap((item) => readDeliverable(reading, item)) ?? [];
  if (deliverables.length > 0) fields.deliverables = deliverables;
}

/** A path in back quotes, or an item that is nothing but a path. */
function readDeliverable(reading: Reading, item: Item): readonly string[] {
  const path =
    /^(?:\*\*)?`([^`\s]+)`/.exec(item.text)?.[1] ??
    (/^[\w./*-]*[/.][\w./*-]*$/.test(item.text) ? item.text : null);
  if (path !== null && globProblem(path) === null) return [path];
  report(
    reading.problems,
    { source: reading.source, range: item.range },
    {
      severity: 'warning',
      message: `${quoted(item.text)} is no path of a deliverable`,
      hint: 'begin with the path in back quotes; it is text for the agent only',
    },
  );
  return [];
}
