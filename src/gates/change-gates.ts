/**
 * Change gates: what a worker changed, against what its definition allows and promises. Pure: the caller brings the
 * facts, and gets one verdict for each gate, all bound to the tip and the patch that they judged.
 *
 * Two readings that the plan's author should know: a path that matches both `references` and `owns` is read-only; and
 * the worker's own `deliverables` need no approval, because a person wrote them into the plan, unless the pattern
 * has no fixed part (`**`, `*.md`) and so names nothing in particular.
 */
import { pathPatch, type ChangedPath, type ChangeVerdict, type Work } from '../core/events.ts';
import type { Policies, WorkerDefinition } from '../core/plan.ts';
import { isCzarName } from '../git/collecting/czar-files.ts';
import { filesNamedBy } from './gate-files.ts';
import { strayFile, type TreeFile } from './links.ts';
import { firstMatch, isAnchored, pathTest, type PathTest } from './patterns.ts';

/** Findings that one verdict spells out. */
const maxFindings = 50;

export interface Change {
  readonly definition: WorkerDefinition;
  readonly policies: Pick<Policies, 'protect'>;
  /** The home, relative to the repository root: `.czar` or `.czarina`. Always protected. */
  readonly home: string;
  readonly work: Work;
  /** Every file of the branch's tip. */
  readonly files: readonly TreeFile[];
  /** Every path of the integration commit that the change is measured against. */
  readonly baseFiles: Iterable<string>;
  readonly approvals: readonly { readonly path: string; readonly patch: string }[];
  /** What czar carried into the tree: files, and folders with all that is in them. */
  readonly carried: readonly string[];
  /** What of the change is a file of instructions that czar wrote for an attempt, as its mark says. */
  readonly marked: readonly string[];
  readonly handoffGiven: boolean;
  /** Commands of every gate that will judge this work or a tree that holds it. */
  readonly gateCommands: readonly string[];
}

interface Judgement {
  readonly findings: readonly string[];
  readonly files: readonly string[];
}

/** Judges a worker's change: deliverables, handoff, ownership, protect, in this order, one verdict each. */
export function judgeChange(change: Change): readonly ChangeVerdict[] {
  const { definition, work } = change;
  const verdict = (gate: ChangeVerdict['gate'], judgement: Judgement): ChangeVerdict => ({
    gate,
    result: judgement.findings.length === 0 ? 'pass' : 'fail',
    tip: work.tip,
    patch: work.patch,
    definition: definition.hash,
    ...judgement,
  });
  const paths = change.files.map((file) => file.path);
  return [
    verdict('deliverables', missingDeliverables(definition, paths)),
    verdict('handoff', missingHandoff(definition, change.handoffGiven)),
    verdict('ownership', violations(change)),
    verdict('protect', unapproved(change)),
  ];
}

/** No finding; the same for every verdict, since thousands of them are kept. */
const nothing: Judgement = { findings: [], files: [] };

/** Deliverables of the definition that none of the paths is. A trailing `/` asks for a file below it. */
export function missingDeliverables(
  definition: Pick<WorkerDefinition, 'deliverables'>,
  paths: readonly string[],
): Judgement {
  if (definition.deliverables.length === 0) return nothing;
  const files = definition.deliverables.filter((pattern) => {
    const test = pathTest(pattern);
    const folder = pattern.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
    return !paths.some((path) => test(path) && !(pattern.endsWith('/') && path === folder));
  });
  return { findings: files.map(missing), files };
}

function missing(pattern: string): string {
  return pattern.endsWith('/')
    ? `The deliverable ${pattern} is missing: no file in that folder.`
    : `The deliverable ${pattern} is missing.`;
}

/** The finding of a handoff that is required and was not given. */
export function missingHandoff(
  definition: Pick<WorkerDefinition, 'handoff'>,
  given: boolean,
): Judgement {
  if (definition.handoff !== 'required' || given) return nothing;
  return {
    findings: [
      'The handoff is missing: czar emit handoff --file FILE (deliverables, what changed, notes for dependents, open risks).',
    ],
    files: [],
  };
}

function violations({ definition, work, files, carried, marked }: Change): Judgement {
  const tip = new Map(files.map((file) => [file.path, file]));
  const outside = outsideOf(definition);
  return judgement(
    work.changed.flatMap((changed) => {
      const file = changed.status === 'D' ? undefined : tip.get(changed.path);
      const stray = file === undefined ? null : strayFile(file);
      const own = carriedFile(changed, carried) ?? czarFile(changed, marked);
      const text = stray ?? own ?? outside(changed);
      return text === null ? [] : [{ path: changed.path, text }];
    }),
  );
}

/** What czar brought into the tree is nobody's work; of a path that the repository has it brought nothing. */
function carriedFile({ path, status }: ChangedPath, carried: readonly string[]): string | null {
  const isIt = (own: string): boolean =>
    path === own || path.startsWith(`${own.replace(/\/$/, '')}/`);
  return status === 'A' && carried.some(isIt)
    ? `${path} was carried into the tree and is no part of the work: git rm --cached ${path}, then commit.`
    : null;
}

/** What czar wrote into the tree for the agent alone. */
function czarFile({ path, status }: ChangedPath, marked: readonly string[]): string | null {
  if (status === 'D') return null;
  if (isCzarName(path))
    return `${path} is czar's own file and no part of the work: git rm --cached ${path}, then commit.`;
  return marked.includes(path)
    ? `${path} is a file that czar wrote for one attempt, as its first line says, and no part of the work: git rm --cached ${path}, then commit. What is to be part of it is written anew without that line.`
    : null;
}

const did = {
  A: 'was added',
  M: 'was changed',
  D: 'was deleted',
  T: 'changed its type',
} as const;

function outsideOf({
  owns,
  references,
}: WorkerDefinition): (changed: ChangedPath) => string | null {
  const readOnly = firstMatch(references);
  const owned = owns === null ? null : firstMatch(owns);
  return ({ path, status }) => {
    const reference = readOnly(path);
    if (reference !== null) {
      return `${path} ${did[status]}, but ${reference} is read-only for this worker.`;
    }
    if (owns === null || owned === null || owned(path) !== null) return null;
    return `${path} ${did[status]}, but this worker owns only ${owns.join(', ') || 'nothing'}.`;
  };
}

function unapproved(change: Change): Judgement {
  const { definition, approvals } = change;
  const isNamed = filesNamedBy(change.gateCommands, change.baseFiles);
  const isProtected = firstMatch([`${change.home}/`, ...change.policies.protect], protection);
  const isOwn = firstMatch(definition.deliverables.filter(isAnchored));
  return judgement(
    change.work.changed.flatMap((changed) => {
      const { path } = changed;
      const glob = isProtected(path);
      if ((glob === null && !isNamed.has(path)) || isOwn(path) !== null) return [];
      const patch = pathPatch(changed);
      if (approvals.some((one) => one.path === path && one.patch === patch)) return [];
      const why = glob === null ? 'a gate runs it' : `${glob} is protected`;
      const settle = `czar approve ${definition.id} --path ${shown(path)}`;
      return [{ path, text: `${path} needs a person: ${why}. ${settle}` }];
    }),
  );
}

/** A pattern without a capital letter holds in every spelling: some file systems open `.GitHub` as `.github`. */
function protection(pattern: string): PathTest {
  return pathTest(pattern, { ignoreCase: pattern === pattern.toLowerCase() });
}

/** All files; findings for the first of them, and how many more there are. */
function judgement(found: readonly { readonly path: string; readonly text: string }[]): Judgement {
  const findings = found.slice(0, maxFindings).map(({ text }) => text);
  const more = found.length - findings.length;
  return {
    findings: more > 0 ? [...findings, `… and ${more} more files.`] : findings,
    files: found.map(({ path }) => path),
  };
}

/** The path as a word of a shell. */
function shown(path: string): string {
  return /^[\w./@%+,:-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
