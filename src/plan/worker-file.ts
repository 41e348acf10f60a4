/**
 * A worker file in one of its three forms: YAML front matter above Markdown, a bare YAML document with `worker:`, or
 * Markdown with a heading and bold fields. All give the same draft.
 */
import { basename } from 'node:path';
import { report, type Problems, type Range } from './diagnostics.ts';
import type { At, DraftDependency, DraftFields, WorkerDraft } from './draft.ts';
import { idProblem, list } from './fields.ts';
import { readMarkdownWorker } from './markdown-worker.ts';
import { parseMarkdown, tasksOf } from './markdown.ts';
import { looseAgent, looseDependencies } from './loose.ts';
import { decode, member, unknownKey } from './shape.ts';
import type { SourceFile } from './source.ts';
import {
  dependencySchema,
  workerSchema,
  type DependencyField,
  type WorkerFields,
} from './worker-schema.ts';
import { parseYaml, type Located, type Path } from './yaml-source.ts';

/**
 * The draft of a worker file, or null when it is none, with every problem noted; a field with a problem is left out of
 * it. With `prose`, a text without any fields is a worker's instructions (its fields stand elsewhere).
 */
export function readWorkerFile(
  source: SourceFile,
  problems: Problems,
  options: { readonly prose?: boolean } = {},
): WorkerDraft | null {
  const form = formOf(source);
  if (form.kind === 'markdown') {
    const draft = readMarkdownWorker(source, {
      id: nameOf(source),
      problems,
      prose: options.prose ?? false,
    });
    if (draft !== null) return draft;
    report(problems, { source, range: { start: 0, end: lineEnd(source, 0) } }, notAWorker);
    return null;
  }
  const located = parseYaml(source, form.yaml, problems);
  if (located === null) return null;
  const under = pathOfWorker(source, located, problems);
  const fields = decode(workerSchema, { source, located: emptyAsMap(located), under }, problems);
  if (fields === null) return null;
  return draftOf(source, { fields, located, under, form, problems });
}

/** Ids that a file with problems may have meant: by its name, and by what looks like its id. */
export function meantIds(source: SourceFile): readonly string[] {
  const written = /^[ \t]*id:[ \t]*["']?([\w.-]{1,64})/m.exec(source.text.slice(0, 10_000))?.[1];
  return written === undefined ? [nameOf(source)] : [nameOf(source), written];
}

/** The id that a file gives by its name. */
export function nameOf(source: SourceFile): string {
  return basename(source.file).replace(/\.(?:md|ya?ml)$/i, '');
}

type Form =
  | { readonly kind: 'front-matter' | 'yaml'; readonly yaml: Range; readonly body: Range }
  | { readonly kind: 'markdown' };

const notAWorker = {
  message: 'this is no worker file',
  hint: 'begin with "---", the fields of the worker and "---"; czar worker new ID writes an example',
};

function formOf(source: SourceFile): Form {
  const { text } = source;
  const whole = { start: 0, end: text.length };
  const none = { start: text.length, end: text.length };
  const first = text.search(/\S/);
  if (first === -1) return { kind: 'markdown' };
  const opening = /^---[ \t]*\r?\n/.exec(text.slice(first));
  if (opening !== null) {
    const start = first + opening[0].length;
    const closing = /^(?:---|\.\.\.)[ \t]*\r?$/m.exec(text.slice(start));
    if (closing === null) return { kind: 'yaml', yaml: { start, end: text.length }, body: none };
    const end = start + closing.index;
    return {
      kind: 'front-matter',
      yaml: { start, end },
      body: { start: Math.min(text.length, end + closing[0].length + 1), end: text.length },
    };
  }
  const named = /\.ya?ml$/i.test(source.file);
  if (named || /^(?:[ \t]*(?:#.*)?\r?\n)*worker[ \t]*:/.test(text.slice(0, 10_000))) {
    return { kind: 'yaml', yaml: whole, body: none };
  }
  return { kind: 'markdown' };
}

/** Where the worker's fields stand: at the top, or under `worker`. */
function pathOfWorker(source: SourceFile, located: Located, problems: Problems): Path {
  const { value } = located;
  if (typeof value !== 'object' || value === null || !('worker' in value)) return [];
  const beside = Object.keys(value).filter((key) => key !== 'worker');
  for (const key of beside) {
    const known = Object.keys(workerSchema.shape);
    const what = known.includes(key)
      ? { message: `${key}: this stands beside worker`, hint: 'move it below worker:' }
      : unknownKey(key, ['worker']);
    report(problems, { source, range: located.keyAt([key]) }, what);
  }
  return ['worker'];
}

function emptyAsMap(located: Located): Located {
  return located.value === null || located.value === undefined
    ? { ...located, value: {} }
    : located;
}

function draftOf(
  source: SourceFile,
  from: {
    readonly fields: WorkerFields;
    readonly located: Located;
    readonly under: Path;
    readonly form: Exclude<Form, { kind: 'markdown' }>;
    readonly problems: Problems;
  },
): WorkerDraft | null {
  const { located, under, form, problems } = from;
  const { dependencies: _, id: written, ...rest } = from.fields;
  const whole = under.reduce<unknown>(member, located.value);
  const dependencies = member(whole, 'dependencies');
  const begin = { start: form.yaml.start, end: lineEnd(source, form.yaml.start) };
  const id = written ?? nameOf(source);
  if (written === undefined) {
    const problem = idProblem(id);
    if (problem !== null && member(whole, 'id') !== undefined) return null;
    if (problem !== null) {
      report(
        problems,
        { source, range: begin },
        {
          message: `${problem} (it is the name of the file)`,
          hint: 'write an id',
        },
      );
      return null;
    }
  }
  const markdown = parseMarkdown(source, form.body);
  const boxed = tasksOf(markdown).map((item) => item.text);
  const { agent, tasks, ...others } = rest;
  const fields: DraftFields = { ...others };
  if (agent !== undefined) {
    const name = looseAgent(agent);
    if (typeof name === 'string') fields.agent = name;
  }
  const allTasks = [...list(tasks), ...boxed];
  if (allTasks.length > 0) fields.tasks = allTasks;
  return {
    id,
    fields,
    dependencies:
      dependencies === undefined
        ? null
        : dependenciesOf(dependencies, { source, located, under: [...under, 'dependencies'] }),
    instructions: source.text.slice(form.body.start, form.body.end).replaceAll('\r\n', '\n').trim(),
    phase: null,
    position: 0,
    source,
    begin,
    ...placesOf({ source, under, begin }, located, Object.keys(from.fields)),
  };
}

/** Where the fields stand that are `written`. Thousands of drafts wait for the others: they keep no more than that. */
function placesOf(
  { source, under, begin }: { source: SourceFile; under: Path; begin: Range },
  { valueAt, keyAt }: Located,
  written: readonly string[],
): Pick<WorkerDraft, 'valueAt' | 'keyAt'> {
  return {
    valueAt: (field, ...more) => {
      const isWritten = written.includes(field) || field === 'dependencies';
      return { source, range: isWritten ? valueAt([...under, field, ...more]) : begin };
    },
    keyAt: (field) => ({
      source,
      range: written.includes(field) ? keyAt([...under, field]) : begin,
    }),
  };
}

/** Most dependencies of one worker: the schema refuses more, and they need not be looked at. */
const mostDependencies = 1000;

/** Nothing but the id is written of most dependencies. */
const plain = {};

/** Dependencies as they are written: of one with a problem its id, of one without an id nothing. */
function dependenciesOf(
  written: unknown,
  place: { readonly source: SourceFile; readonly located: Located; readonly under: Path },
): readonly DraftDependency[] {
  const single = !Array.isArray(written);
  const elements = list<unknown>(written).slice(0, mostDependencies);
  return elements.flatMap((element, index): readonly DraftDependency[] => {
    const one = readDependency(element);
    if (one === null) return [];
    const path = single ? place.under : [...place.under, index];
    const at: At = { source: place.source, range: place.located.valueAt(path) };
    if (typeof one !== 'string') {
      const { on, ...field } = one;
      return [on === 'all' ? { kind: 'all', field, at } : { kind: 'id', on, field, at }];
    }
    // A back-quoted id or a phase is understood; a text that is neither is an id that will not be found.
    const loose = idProblem(one) === null ? [] : looseDependencies(one);
    const understood = loose.length > 0 && !loose.some((part) => part.kind === 'unknown');
    if (!understood && one !== 'all') return [{ kind: 'id', on: one, field: plain, at }];
    if (one === 'all') return [{ kind: 'all', field: plain, at }];
    return loose.map((part) => {
      if (part.kind === 'id') return { kind: 'id', on: part.on, field: plain, at };
      if (part.kind === 'phase') return { kind: 'phase', phase: part.phase, at };
      return { kind: 'all', field: plain, at };
    });
  });
}

function readDependency(element: unknown): string | DependencyField | null {
  const read = dependencySchema.safeParse(element);
  if (read.success) return read.data;
  const on = member(element, 'on');
  return typeof on === 'string' ? { on } : null;
}

function lineEnd(source: SourceFile, start: number): number {
  const end = source.text.indexOf('\n', start);
  return end === -1 ? source.text.length : end;
}
