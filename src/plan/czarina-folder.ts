/**
 * A Czarina folder: `config.json` says which workers there are, a worker's file adds text and fields to its entry, and
 * `<id>-knowledge.md` adds what it should know. What the entry says wins over the file.
 */
import { quoted, reportFile, report, type Problems } from './diagnostics.ts';
import type { At, DraftDependency, DraftFields, WorkerDraft } from './draft.ts';
import { workBranchProblem, idProblem } from './fields.ts';
import { looseAgent, looseDependencies, loosePriority, looseTokens } from './loose.ts';
import { readSource, type SourceFile } from './source.ts';
import { readWorkerFile } from './worker-file.ts';
import { parseYaml, type Located, type Path } from './yaml-source.ts';

export interface CzarinaFolder {
  readonly name: string | null;
  readonly drafts: readonly WorkerDraft[];
  /** Ids of entries that could not be read. */
  readonly broken: readonly string[];
  /** What was found and not read, for a person. */
  readonly notes: readonly string[];
}

/** The workers of `<home>/config.json`, or null when it is no Czarina configuration. */
export function readCzarinaFolder(options: {
  readonly root: string;
  /** The home, relative to the root. */
  readonly home: string;
  /** Names of the files in `<home>/workers`. */
  readonly files: readonly string[];
  readonly problems: Problems;
}): CzarinaFolder | null {
  const { root, home, files, problems } = options;
  const file = `${home}/config.json`;
  const read = readSource(root, file);
  if (read.kind === 'missing') return null;
  if (read.kind === 'problem') {
    reportFile(problems, file, read);
    return null;
  }
  const { source } = read;
  const located = parseYaml(source, { start: 0, end: source.text.length }, problems);
  if (located === null) return null;
  const top = asRecord(located.value);
  const entries = top?.['workers'];
  if (top === null || !Array.isArray(entries)) {
    const range = located.valueAt(['workers']);
    report(
      problems,
      { source, range },
      { message: 'workers: expected a list of workers', hint: null },
    );
    return null;
  }
  const notes: string[] = [];
  const ignored = Object.keys(top).filter((key) => key !== 'workers' && key !== 'project');
  if (ignored.length > 0) notes.push(`${file}: not read: ${ignored.join(', ')}`);
  const broken: string[] = [];
  const drafts = entries.flatMap((entry: unknown, index) => {
    const draft = readEntry({ source, located, index, problems, notes }, asRecord(entry));
    if (draft === null) {
      const id = asRecord(entry)?.['id'];
      if (typeof id === 'string') broken.push(id);
      return [];
    }
    const withFile = addFile(draft, {
      root,
      file: `${home}/workers/${draft.id}.md`,
      files,
      problems,
    });
    return [addKnowledge(withFile, { root, home, files, problems })];
  });
  notes.push(...unreadFiles(drafts, { home, files }));
  const project = top['project'];
  const name = typeof project === 'string' ? project : asRecord(project)?.['name'];
  return { name: typeof name === 'string' && name !== '' ? name : null, drafts, broken, notes };
}

/** Adds `<id>-knowledge.md`, when it is among the files, to a worker's instructions. */
export function addKnowledge(
  draft: WorkerDraft,
  from: {
    readonly root: string;
    readonly home: string;
    readonly files: readonly string[];
    readonly problems: Problems;
  },
): WorkerDraft {
  const name = `${draft.id}-knowledge.md`;
  if (!from.files.includes(name)) return draft;
  const file = `${from.home}/workers/${name}`;
  const read = readSource(from.root, file);
  if (read.kind !== 'read') {
    if (read.kind === 'problem') reportFile(from.problems, file, read);
    return draft;
  }
  const text = read.source.text.replaceAll('\r\n', '\n').trim();
  return { ...draft, instructions: `${draft.instructions}\n\n## Knowledge\n\n${text}`.trim() };
}

interface Entry {
  readonly source: SourceFile;
  readonly located: Located;
  readonly index: number;
  readonly problems: Problems;
  readonly notes: string[];
}

const entryKeys = [
  'id',
  'agent',
  'branch',
  'role',
  'dependencies',
  'token_budget',
  'phase',
  'priority',
];

function readEntry(
  entry: Entry,
  value: Readonly<Record<string, unknown>> | null,
): WorkerDraft | null {
  const { source, located, index, problems } = entry;
  const path = (...rest: readonly PropertyKey[]): Path => ['workers', index, ...rest];
  const at = (...rest: readonly PropertyKey[]): At => ({
    source,
    range: located.valueAt(path(...rest)),
  });
  const id = value?.['id'];
  if (value === null || typeof id !== 'string') {
    report(problems, at('id'), { message: 'expected a worker with an id (a text)', hint: null });
    return null;
  }
  const problem = idProblem(id);
  if (problem !== null) {
    report(problems, at('id'), { message: problem });
    return null;
  }
  const doubt = (key: string, what: string, hint: string): void =>
    report(problems, at(key), {
      severity: 'warning',
      message: `${key}: ${quoted(JSON.stringify(value[key]) ?? '')} is ${what}`,
      hint,
    });
  const given = (key: string): boolean =>
    value[key] !== undefined && value[key] !== null && value[key] !== '';
  const fields: DraftFields = {};
  const { agent, branch, role, token_budget: budget, priority, phase } = value;
  if (given('agent')) {
    const name = typeof agent === 'string' ? looseAgent(agent) : undefined;
    if (typeof name === 'string') fields.agent = name;
    else if (name === undefined)
      doubt('agent', 'no agent that is understood', 'the default is used');
  }
  if (given('branch')) {
    const wrong = typeof branch === 'string' ? workBranchProblem(branch) : 'expected a text';
    if (wrong !== null) report(problems, at('branch'), { message: `branch: ${wrong}` });
    else if (typeof branch === 'string') fields.branch = branch;
  }
  if (given('role')) {
    if (typeof role === 'string') fields.role = role;
    else doubt('role', 'no role that is understood', 'it has no role');
  }
  if (given('token_budget')) {
    const tokens = looseTokens(budget) ?? looseTokens(asRecord(budget)?.['projected']);
    if (tokens === null)
      doubt('token_budget', 'no number of tokens that is understood', 'it has no budget');
    else fields.budget = { tokens };
  }
  if (given('priority')) {
    const found = loosePriority(priority);
    if (found === null)
      doubt('priority', 'no priority that is understood', 'it is taken as normal');
    else fields.priority = found;
  }
  const phaseNumber = typeof phase === 'string' && /^\d{1,4}$/.test(phase) ? Number(phase) : phase;
  const hasPhase = typeof phaseNumber === 'number' && Number.isFinite(phaseNumber);
  if (given('phase') && !hasPhase) doubt('phase', 'no phase that is understood', 'it has no phase');
  const ignored = Object.keys(value).filter((key) => !entryKeys.includes(key));
  if (ignored.length > 0)
    entry.notes.push(`${source.file}: not read of ${id}: ${ignored.join(', ')}`);
  return {
    id,
    fields,
    dependencies: readDependencies(
      value['dependencies'],
      (rest) => at('dependencies', ...rest),
      problems,
    ),
    instructions: '',
    phase: hasPhase ? phaseNumber : null,
    position: index,
    source,
    begin: located.valueAt(path('id')),
    valueAt: (field, ...rest) =>
      at(places[field] ?? field, ...(given(places[field] ?? field) ? rest : [])),
    keyAt: (field) => ({ source, range: located.keyAt(path(places[field] ?? field)) }),
  };
}

const places: Readonly<Record<string, string>> = { budget: 'token_budget' };

function readDependencies(
  value: unknown,
  at: (rest: Path) => At,
  problems: Problems,
): readonly DraftDependency[] | null {
  if (value === undefined || value === null) return null;
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (parts.length > 1000) {
    report(problems, at([]), { message: 'dependencies: more than 1000 entries' });
    return null;
  }
  return parts.flatMap((part, index): readonly DraftDependency[] => {
    const place = at(Array.isArray(value) ? [index] : []);
    const doubt = (words: unknown): readonly DraftDependency[] => {
      report(problems, place, {
        severity: 'warning',
        message: `${quoted(String(words))} is no dependency that is understood`,
        hint: 'write ids with commas between them; this part is left out',
      });
      return [];
    };
    if (typeof part !== 'string') return doubt(part);
    return looseDependencies(part).flatMap((one): readonly DraftDependency[] => {
      if (one.kind === 'unknown') return doubt(one.words);
      if (one.kind === 'phase') return [{ kind: 'phase', phase: one.phase, at: place }];
      if (one.kind === 'all') return [{ kind: 'all', field: {}, at: place }];
      return [{ kind: 'id', on: one.on, field: {}, at: place }];
    });
  });
}

/** The entry with what its worker file adds; the places of those fields are in the file. */
function addFile(
  entry: WorkerDraft,
  from: {
    readonly root: string;
    readonly file: string;
    readonly files: readonly string[];
    readonly problems: Problems;
  },
): WorkerDraft {
  if (!from.files.includes(`${entry.id}.md`)) return entry;
  const read = readSource(from.root, from.file);
  if (read.kind !== 'read') {
    if (read.kind === 'problem') reportFile(from.problems, from.file, read);
    return entry;
  }
  const added = readWorkerFile(read.source, from.problems, { prose: true });
  if (added === null) return entry;
  const inEntry = new Set(Object.keys(entry.fields));
  if (entry.dependencies !== null && added.dependencies !== null) {
    const differs = idsOf(entry.dependencies) !== idsOf(added.dependencies);
    if (differs) {
      report(from.problems, added.valueAt('dependencies'), {
        severity: 'warning',
        message: `the dependencies here differ from those in ${entry.source.file}`,
        hint: `${entry.source.file} decides; make them equal`,
      });
    }
  }
  return {
    ...entry,
    fields: { ...added.fields, ...entry.fields },
    dependencies: entry.dependencies ?? added.dependencies,
    phase: entry.phase ?? added.phase,
    instructions: added.instructions,
    valueAt: (field, ...rest) =>
      inEntry.has(field) || (field === 'dependencies' && entry.dependencies !== null)
        ? entry.valueAt(field, ...rest)
        : added.valueAt(field, ...rest),
    keyAt: (field) => (inEntry.has(field) ? entry.keyAt(field) : added.keyAt(field)),
  };
}

function idsOf(dependencies: readonly DraftDependency[]): string {
  return dependencies
    .map((one) => (one.kind === 'id' ? one.on : one.kind === 'all' ? '*' : `#${one.phase}`))
    .sort()
    .join(' ');
}

function unreadFiles(
  drafts: readonly WorkerDraft[],
  from: { readonly home: string; readonly files: readonly string[] },
): readonly string[] {
  const read = new Set(drafts.flatMap(({ id }) => [`${id}.md`, `${id}-knowledge.md`]));
  const unread = from.files.filter((name) => !read.has(name));
  if (unread.length === 0) return [];
  return [`${from.home}/workers: no entry in config.json, not read: ${unread.join(', ')}`];
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return Object.fromEntries(Object.entries(value));
}
