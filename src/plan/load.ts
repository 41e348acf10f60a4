/** The files of a home as one validated plan. The same files give the same bytes, whatever the machine or the time. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sharedWithUser } from '../core/isolation.ts';
import { compareNatural } from '../core/graph.ts';
import { withoutLimits } from '../core/limits.ts';
import type { Machine } from '../core/events.ts';
import type { Plan, WorkerDefinition } from '../core/plan.ts';
import { hashOf } from './canonical.ts';
import { readConfig, type Config } from './config-file.ts';
import type { ConfigSources } from './config-layers.ts';
import { addKnowledge, readCzarinaFolder } from './czarina-folder.ts';
import {
  hasErrors,
  reportFile,
  sortDiagnostics,
  type Diagnostic,
  type Problems,
} from './diagnostics.ts';
import type { WorkerDraft } from './draft.ts';
import type { Home } from './home.ts';
import { resolveWorkers, type WrittenBranch } from './resolve.ts';
import { compareFiles, errorCode, readSource } from './source.ts';
import { lookAtMachine } from './machine.ts';
import { meantIds, readWorkerFile } from './worker-file.ts';
import { forgetDocument } from './yaml-source.ts';

export interface LoadedPlan {
  /** Null when there are errors, or no workers. */
  readonly plan: Plan | null;
  /** By file and line. */
  readonly diagnostics: readonly Diagnostic[];
  /** What was found and left alone: sentences for a person. */
  readonly notes: readonly string[];
  /** Why `run` will refuse the agents, in a sentence; null when it will not. */
  readonly agentProblem: string | null;
  /** Branches that worker files write out, also those of a plan with errors. */
  readonly branches: readonly WrittenBranch[];
  /** Worker definitions found, whether right or wrong: 0 means that there is nothing to run. */
  readonly found: number;
  /** What runs start from and what they land on, as configured; null where the current branch decides. */
  readonly settings: { readonly base: string | null; readonly target: string | null };
}

/** Loads the plan of a home. With `files` (relative to the root) those are the worker files, instead of the home's. */
export function loadPlan(options: {
  readonly root: string;
  readonly home: Home;
  /** Where the configuration comes from beside the home's own file. */
  readonly sources: ConfigSources;
  readonly files?: readonly string[];
  /** What the machine has; asked only when workers ask for it. This one when left out. */
  readonly machine?: () => Machine | null;
}): LoadedPlan {
  const { root, home, sources } = options;
  const problems: Problems = { list: [] };
  const notes: string[] = [];
  const config = readConfig({ root, home: home.name, sources }, problems);
  const read =
    options.files === undefined
      ? readHome(root, home, problems)
      : readFiles(root, options.files, problems);
  notes.push(...read.notes);
  const shared = sharedWithUser(config.policies);
  if (shared !== null) notes.push(shared);
  let plan: Plan | null = null;
  let branches: readonly WrittenBranch[] = [];
  if (read.drafts.length > 0) {
    // With a wrong configuration the workers are still checked, so that everything is said in one go.
    const machine = options.machine ?? (() => lookAtMachine([root]));
    const resolved = resolveWorkers(read.drafts, config, problems, read.broken, machine);
    const { workers, overlaps } = resolved;
    branches = resolved.branches;
    plan = planOf({ workers, overlaps, config, name: config.name ?? read.name ?? basename(root) });
  }
  forgetDocument();
  return {
    plan: hasErrors(problems.list) ? null : plan,
    diagnostics: sortDiagnostics(problems.list),
    notes,
    agentProblem: plan === null ? null : agentProblem(plan),
    branches,
    found: read.found,
    settings: { base: config.base, target: config.target },
  };
}

/** Why `run` refuses the agents of a plan, in a sentence, or null. With `scope` only those workers are looked at. */
export function agentProblem(plan: Plan, scope: readonly string[] | null = null): string | null {
  const lacks = (name: string): boolean => !Object.hasOwn(plan.agents, name);
  const unknown = ({ agent, fallback = [], review }: WorkerDefinition): readonly string[] => [
    ...([agent.name, ...fallback].every(lacks) ? [agent.name] : []),
    ...(review?.agents.filter(lacks) ?? []),
  ];
  const without = plan.workers.filter(
    (worker) => unknown(worker).length > 0 && (scope === null || scope.includes(worker.id)),
  );
  if (without.length === 0) return null;
  const names = [...new Set(without.flatMap(unknown))].sort();
  const ids = without.map(({ id }) => id);
  const shown =
    ids.length > 5 ? `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more` : ids.join(', ');
  const agents =
    names.length === 1 ? `the agent ${names[0]} has` : `the agents ${names.join(', ')} have`;
  const keys = names.map((name) => `agents.define.${name}.command`).join(', ');
  return `${agents} no command, and czar does not know how to start ${names.length === 1 ? 'it' : 'them'} (needed by ${shown}): add ${keys} to config.yaml`;
}

/** The agents that a worker may come to need: who does it, who takes their place, and who reviews it. */
function agentsOf({ agent, fallback = [], review }: WorkerDefinition): readonly string[] {
  return [agent.name, ...fallback, ...(review?.agents ?? [])];
}

function planOf(from: {
  readonly workers: readonly WorkerDefinition[];
  readonly overlaps: Plan['overlaps'];
  readonly config: Config;
  readonly name: string;
}): Plan {
  const { workers, overlaps, config, name } = from;
  const used = new Set(workers.flatMap(agentsOf));
  const agents = Object.fromEntries(
    Object.entries(config.agents.define)
      .filter(([agent]) => used.has(agent))
      .sort(([a], [b]) => compareNatural(a, b)),
  );
  const { policies } = config;
  const revision = hashOf({
    workers: workers.map(({ hash }) => hash),
    agents,
    policies: withoutLimits(policies),
    overlaps,
  });
  return { name, revision, workers, agents, policies, overlaps };
}

interface Read {
  readonly drafts: readonly WorkerDraft[];
  /** Ids that definitions with problems of their own may have meant. */
  readonly broken: ReadonlySet<string>;
  readonly found: number;
  readonly notes: readonly string[];
  readonly name: string | null;
}

function readHome(root: string, home: Home, problems: Problems): Read {
  const listing = listFiles(join(home.path, 'workers'));
  if (typeof listing === 'string') {
    reportFile(problems, `${home.name}/workers`, {
      message: `the folder cannot be read (${listing})`,
      hint: 'check its permissions',
    });
    return { drafts: [], broken: new Set(), found: 0, notes: [], name: null };
  }
  const folder = `${home.name}/workers`;
  // Hidden ones are an editor's: `.#a.md` is there while somebody writes a.md.
  const files = listing.filter((name) => name.endsWith('.md') && !name.startsWith('.'));
  const others = listing.filter((name) => name.endsWith('.md') === name.startsWith('.'));
  const notes =
    others.length === 0 ? [] : [`${folder}: not worker files, not read: ${others.join(', ')}`];
  if (home.czarina) {
    const before = problems.list.length;
    const czarina = readCzarinaFolder({ root, home: home.name, files, problems });
    const strangers = listOthers(home);
    if (strangers.length > 0) notes.push(`${home.name}: not read: ${strangers.join(', ')}`);
    const found = (czarina?.drafts.length ?? 0) + (problems.list.length > before ? 1 : 0);
    return {
      drafts: czarina?.drafts ?? [],
      broken: new Set(czarina?.broken),
      found,
      notes: [...notes, ...(czarina?.notes ?? [])],
      name: czarina?.name ?? null,
    };
  }
  const loose = basename(home.path) === '.czarina';
  const passed = files.filter((name) => /^(?:README|CZAR)\.md$/i.test(name));
  const knowledge = loose ? files.filter((name) => name.endsWith('-knowledge.md')) : [];
  const workers = files.filter((name) => !passed.includes(name) && !knowledge.includes(name));
  const used = new Set(workers.map((name) => name.replace(/\.md$/, '-knowledge.md')));
  const unread = [...passed, ...knowledge.filter((name) => !used.has(name))];
  if (unread.length > 0) notes.push(`${folder}: no workers, not read: ${unread.join(', ')}`);
  const read = readFiles(
    root,
    workers.map((name) => `${folder}/${name}`),
    problems,
  );
  const drafts = read.drafts.map((draft) =>
    addKnowledge(draft, { root, home: home.name, files: knowledge, problems }),
  );
  return { ...read, drafts, notes };
}

/** Most text of all worker files together. */
const mostCharacters = 64 * 1024 * 1024;

function readFiles(root: string, files: readonly string[], problems: Problems): Read {
  const broken = new Set<string>();
  let left = mostCharacters;
  const drafts = files.flatMap((file) => {
    if (left < 0) return [];
    const read = readSource(root, file);
    if (read.kind === 'read') {
      left -= read.source.text.length;
      if (left < 0) {
        reportFile(problems, file, {
          message: `the worker files up to this one have more than ${mostCharacters} characters, and the rest is not read`,
          hint: 'move long material into files that the texts refer to',
        });
        return [];
      }
      const before = problems.list.length;
      const draft = readWorkerFile(read.source, problems);
      if (hasErrors(problems.list.slice(before)))
        for (const id of meantIds(read.source)) broken.add(id);
      return draft === null ? [] : [draft];
    }
    if (read.kind === 'problem') reportFile(problems, file, read);
    else reportFile(problems, file, { message: 'there is no such file', hint: null });
    return [];
  });
  return { drafts, broken, found: files.length, notes: [], name: null };
}

/** Names in a folder in natural order, the empty list when it does not exist, or why it cannot be read. */
function listFiles(folder: string): readonly string[] | string {
  if (!existsSync(folder)) return [];
  try {
    return readdirSync(folder).sort(compareFiles);
  } catch (error) {
    return errorCode(error);
  }
}

/** Files of a Czarina folder that look as if they said something of the plan. */
function listOthers(home: Home): readonly string[] {
  const names = listFiles(home.path);
  if (typeof names === 'string') return [];
  return names.filter(
    (name) =>
      name !== 'config.json' &&
      /^(?:CZAR\.md|.*\.json|config.*\.ya?ml)$/.test(name) &&
      name !== 'config.yaml',
  );
}
