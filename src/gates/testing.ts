/** Builders for the tests of this folder. */
import type { ChangedPath, Work } from '../core/events.ts';
import type { WorkerDefinition } from '../core/plan.ts';
import type { Change } from './change-gates.ts';
import type { TreeFile } from './links.ts';

/** A definition with defaults for everything that is not given. */
export function aDefinition(given: Partial<WorkerDefinition> = {}): WorkerDefinition {
  return {
    id: 'alpha',
    kind: 'worker',
    source: { file: '.czar/workers/alpha.md', line: 1 },
    role: null,
    mission: null,
    firstAction: null,
    instructions: '',
    agent: { name: 'mine', why: 'default' },
    model: null,
    branch: null,
    workspace: 'branch',
    edges: [],
    budget: null,
    deliverables: [],
    owns: null,
    references: [],
    tasks: [],
    successCriteria: [],
    verify: [],
    setup: [],
    teardown: [],
    copy: [],
    link: [],
    handoff: 'optional',
    priority: 'normal',
    retry: {
      maxAttempts: 2,
      backoff: 'exponential',
      initialMs: 5_000,
      maxMs: 300_000,
      from: 'clean',
    },
    timeoutMs: null,
    when: null,
    labels: {},
    hash: 'definition-1',
    ...given,
  };
}

/** A plain file of a tree. */
export function aFile(path: string): TreeFile {
  return { path, mode: '100644', link: null };
}

/** A symbolic link of a tree. */
export function aLink(path: string, link: string): TreeFile {
  return { path, mode: '120000', link };
}

/** A change that touches `changed` (`M path`, `A path`, `D path`, `T path`). */
export function aChange(changed: readonly string[], given: Partial<Change> = {}): Change {
  const paths = changed.map(parse);
  return {
    definition: aDefinition(),
    policies: { protect: [] },
    home: '.czar',
    work: aWork(paths),
    files: paths.filter(({ status }) => status !== 'D').map(({ path }) => aFile(path)),
    baseFiles: [],
    approvals: [],
    carried: [],
    marked: [],
    handoffGiven: false,
    gateCommands: [],
    ...given,
  };
}

function aWork(changed: readonly ChangedPath[]): Work {
  return {
    tip: 'tip-1',
    base: 'base-1',
    tree: 'tree-1',
    patch: 'patch-1',
    commits: 1,
    changed,
    committedFor: null,
    kept: [],
  };
}

const statuses = { A: 'A', M: 'M', D: 'D', T: 'T' } as const;

function parse(line: string): ChangedPath {
  const [letter, path = ''] = line.split(' ');
  const status = letter === 'A' || letter === 'D' || letter === 'T' ? statuses[letter] : statuses.M;
  return {
    path,
    status,
    before: status === 'A' ? '' : `old:${path}`,
    after: status === 'D' ? '' : `new:${path}`,
  };
}
