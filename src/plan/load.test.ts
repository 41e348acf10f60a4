import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadWorkers, planFolder } from '../../test/support/plan-folder.ts';
import { onlyHome } from './config-layers.ts';
import { diffPlans } from './diff.ts';
import { findHome, findRoot } from './home.ts';
import { formatGraph, graphFormats, graphOf } from './graph-formats.ts';
import { agentProblem } from './load.ts';
import { addWorker } from './new-worker.ts';

const worker = (...lines: readonly string[]): string => `---\n${lines.join('\n')}\n---\n`;

const home = {
  '.czar/config.yaml': [
    'agents:',
    '  default: mine',
    '  preferences: {docs: writer, qa: checker}',
    '  define:',
    '    mine: {command: [./agent.sh, "{prompt}"], args: [-q], env: [KEY]}',
    '    unused: {command: [x]}',
    'setup: npm ci',
    'retry: {max_attempts: 3}',
    'timeout: 1h30m',
    'max_file_size: 5MB',
    'max_work_size: 2GB',
    '',
  ].join('\n'),
  '.czar/workers/docs.md': worker(
    'role: Writer',
    'owns: [docs/, ./README.md]',
    'timeout: 5m',
    'setup: []',
  ),
  '.czar/workers/code.md': worker('agent: special'),
  '.czar/workers/last.md': worker('role: QA', 'retry: {from: continue}'),
};

test('the same files give the same plan, whatever the folder is called', () => {
  using one = planFolder(home);
  using other = planFolder(home);
  const [a, b] = [one.load().plan, other.load().plan];
  assert.ok(a !== null && b !== null);
  assert.equal(JSON.stringify({ ...a, name: '' }), JSON.stringify({ ...b, name: '' }));
});

test('a comment changes neither the hash of a worker nor the revision; a field changes both', () => {
  using folder = planFolder(home);
  const before = folder.load().plan;
  folder.write({ '.czar/workers/code.md': worker('# why', 'agent: special') });
  const commented = folder.load().plan;
  folder.write({ '.czar/workers/code.md': worker('agent: special', 'handoff: required') });
  const changed = folder.load().plan;
  assert.ok(before !== null && commented !== null && changed !== null);
  assert.equal(commented.revision, before.revision);
  assert.notEqual(changed.revision, before.revision);
  assert.deepEqual(diffPlans(before, commented), []);
  assert.deepEqual(diffPlans(before, changed), ['worker code: handoff optional → required']);
});

test('what differs between two plans is named; limits are no part of that', () => {
  using folder = planFolder({ ...home, '.czar/workers/code.md': worker('agent: mine') });
  const before = folder.load().plan;
  folder.write({
    '.czar/workers/new.md': worker('role: x'),
    '.czar/config.yaml': home['.czar/config.yaml']
      .replace('-q', '-v')
      .replace('setup: npm ci', 'max_parallel: 8'),
  });
  const after = folder.load().plan;
  assert.ok(before !== null && after !== null);
  assert.deepEqual(diffPlans(before, after), [
    'worker code: setup ["npm ci"] → []',
    'worker last: setup ["npm ci"] → [], dependencies changed',
    'worker new is new',
    'agent mine: command ["./agent.sh","{prompt}","-q"] → ["./agent.sh","{prompt}","-v"]',
    'policies: setup ["npm ci"] → []',
  ]);
  assert.ok(diffPlans(after, before).includes('worker new is gone'));
});

test('an agent is what is written, else the preference for id or role, else the default', () => {
  using folder = planFolder(home);
  const agents = folder.load().plan?.workers.map(({ id, agent }) => [id, agent.name, agent.why]);
  assert.deepEqual(agents, [
    ['code', 'special', 'written in its definition'],
    ['docs', 'writer', 'agents.preferences of docs'],
    ['last', 'checker', 'agents.preferences of qa'],
  ]);
});

test('agents without a command are named in one sentence, for the workers in question only', () => {
  using folder = planFolder(home);
  const { plan, ...loaded } = folder.load();
  assert.ok(plan !== null);
  const all = agentProblem(plan);
  assert.match(
    all ?? '',
    /checker, special, writer have no command, and czar does not know how to start them \(needed by code, docs, last\)/,
  );
  for (const name of ['checker', 'special', 'writer'])
    assert.match(all ?? '', new RegExp(`agents\\.define\\.${name}\\.command`));
  assert.equal(loaded.agentProblem, all);
  assert.match(agentProblem(plan, ['code']) ?? '', /the agent special has no command/);
  assert.equal(agentProblem(plan, []), null);
});

test('defaults come from the configuration, and a worker’s own words win', () => {
  using folder = planFolder(home);
  const { plan } = folder.load();
  const [code, docs, last] = plan?.workers ?? [];
  assert.deepEqual([code?.setup, docs?.setup], [['npm ci'], []]);
  assert.deepEqual([code?.timeoutMs, docs?.timeoutMs], [5_400_000, 300_000]);
  assert.deepEqual(last?.retry, {
    maxAttempts: 3,
    backoff: 'exponential',
    initialMs: 5000,
    maxMs: 300_000,
    from: 'continue',
  });
  assert.deepEqual(docs?.owns, ['docs/**', 'README.md']);
  assert.equal(plan?.policies.maxFileBytes, 5_000_000);
  assert.equal(plan.policies.maxWorkBytes, 2_000_000_000);
  assert.ok(plan.policies.protect.includes('.gitmodules'));
});

test('no time at all needs no unit', () => {
  const nothing = { ...home, '.czar/config.yaml': `stagger: 0\nretry: {initial: 0}\n` };
  using folder = planFolder({ ...nothing, '.czar/workers/code.md': worker('retry: {max: 0}') });
  const { plan } = folder.load();
  assert.equal(plan?.policies.staggerMs, 0);
  assert.deepEqual(
    plan.workers.map(({ retry }) => [retry.initialMs, retry.maxMs]),
    [
      [0, 0],
      [0, 300_000],
      [0, 300_000],
    ],
  );
});

test('without a configuration the defaults of the product hold', () => {
  const { plan } = loadWorkers({ a: worker('role: x') });
  assert.deepEqual(
    [
      plan?.policies.maxParallel,
      plan?.policies.maxParallelChecks,
      plan?.policies.barrier,
      plan?.policies.ownership,
    ],
    [4, 2, 'none', 'serialize'],
  );
  assert.equal(plan?.policies.agingMs, 600_000);
  assert.equal(plan.policies.unattendedMs, 900_000);
});

test('workers come by priority, then by file name with numbers as numbers', () => {
  const { plan } = loadWorkers({
    w10: worker('role: x'),
    w2: worker('role: x'),
    low: worker('priority: low'),
    urgent: worker('priority: critical'),
  });
  assert.deepEqual(
    plan?.workers.map(({ id }) => id),
    ['urgent', 'w2', 'w10', 'low'],
  );
});

test('edges have defaults by workspace, collapse when written twice, and keep what is asked for', () => {
  const { plan } = loadWorkers({
    a: worker('role: x'),
    empty: worker('workspace: empty', 'dependencies: [a]'),
    b: worker(
      'dependencies:',
      '  - a',
      '  - {on: a, inputs: [./dist/], allow_skipped: true, reason: needs it}',
      '  - {on: a, kind: sequential, requires: verified}',
      '  - {on: empty, requires: merged}',
    ),
  });
  const edges = (id: string) => plan?.workers.find((one) => one.id === id)?.edges;
  assert.equal(edges('empty')?.[0]?.kind, 'knowledge');
  assert.deepEqual(edges('b'), [
    {
      on: 'a',
      kind: 'output',
      requires: 'complete',
      allowSkipped: false,
      inputs: ['dist/'],
      reason: 'needs it',
      via: 'explicit',
    },
    {
      on: 'a',
      kind: 'sequential',
      requires: 'verified',
      allowSkipped: false,
      inputs: [],
      reason: null,
      via: 'explicit',
    },
    {
      on: 'empty',
      kind: 'knowledge',
      requires: 'complete',
      allowSkipped: false,
      inputs: [],
      reason: null,
      via: 'explicit',
    },
  ]);
});

test('what workers have in common is held once, and they differ where they do', () => {
  using folder = planFolder(home);
  const workers = folder.load().plan?.workers ?? [];
  const [code, docs, last] = workers;
  assert.deepEqual(
    workers.map(({ id }) => id),
    ['code', 'docs', 'last'],
  );
  assert.equal(code?.retry, docs?.retry);
  assert.equal(code?.labels, last?.labels);
  assert.notDeepEqual(code?.retry, last?.retry);
  assert.deepEqual([code?.setup, docs?.setup], [['npm ci'], []]);
});

test('a mistake that shows only beside the other files is told where it stands', () => {
  using folder = planFolder({
    '.czar/workers/a.md': worker('role: A', 'dependencies: [b]', 'branch: x/y'),
    '.czar/workers/b.md': worker('dependencies: [a]', 'branch: x/y'),
    '.czar/workers/c.md': worker('role: C', 'priority: low', 'branch: czar/c'),
  });
  assert.deepEqual(
    folder.load().diagnostics.map(({ file, line }) => `${file}:${line}`),
    ['.czar/workers/a.md:3', '.czar/workers/b.md:3', '.czar/workers/c.md:4'],
  );
});

test('a qa worker without dependencies depends on all, and an empty list means none', () => {
  const { plan } = loadWorkers({
    a: worker('role: x'),
    qa: worker('role: qa'),
    other: worker('role: qa', 'dependencies: []'),
  });
  const on = (id: string) =>
    plan?.workers.find((one) => one.id === id)?.edges.map((edge) => `${edge.on} ${edge.via}`);
  assert.deepEqual(on('qa'), ['a all', 'other all']);
  assert.deepEqual(on('other'), []);
});

test('every format of the graph names all nodes and edges, the same each time', () => {
  const { plan } = loadWorkers({
    a: worker('role: x'),
    'b-1': worker('dependencies:', '  - {on: a, kind: knowledge, reason: "say \\"why\\" | now"}'),
    c: worker('dependencies:', '  - {on: a, kind: sequential, requires: verified}', '  - b-1'),
  });
  assert.ok(plan !== null);
  assert.deepEqual(
    graphOf(plan).edges.map(({ from, to, kind }) => `${from} ${to} ${kind}`),
    ['a b-1 knowledge', 'a c sequential', 'b-1 c output'],
  );
  for (const format of graphFormats) {
    const text = formatGraph(plan, format);
    assert.equal(text, formatGraph(plan, format));
    for (const { id } of plan.workers) assert.ok(text.includes(id), format);
    assert.ok(text.endsWith('\n'));
  }
  assert.match(formatGraph(plan, 'mermaid'), /w1 -\.->\|"say #34;why#34; #124; now"\| w2/);
  assert.match(
    formatGraph(plan, 'dot'),
    /"a" -> "b-1" \[style=dashed, label="say \\"why\\" \| now"\]/,
  );
  assert.match(formatGraph(plan, 'text'), /c ← a \(sequential, verified\), b-1/);
});

test('the home is .czar, or .czarina where that is what there is, or the folder that is named', () => {
  using folder = planFolder({ '.czarina/workers/a.md': '', 'other/x': '' });
  assert.equal(folder.home().name, '.czarina');
  folder.write({ '.czar/config.yaml': '' });
  assert.equal(folder.home().name, '.czar');
  const { root } = folder;
  const named = findHome({ root, czarDir: 'other', cwd: root });
  assert.ok(!('error' in named) && named.name === 'other');
  assert.ok('error' in findHome({ root, czarDir: '../elsewhere', cwd: root }));
  assert.ok('error' in findHome({ root, czarDir: '.', cwd: root }));
});

test('workers come in the order of their file names, the shorter name and the smaller number first', () => {
  const text = '---\nrole: x\n---\n';
  const names = ['nc10', 'emp2', 'nc2', 'nc', 'emp'];
  const { plan } = loadWorkers(Object.fromEntries(names.map((name) => [name, text])));
  assert.deepEqual(
    plan?.workers.map(({ id }) => id),
    ['emp', 'emp2', 'nc', 'nc2', 'nc10'],
  );
});

test('the repository is the nearest folder above with a .git', () => {
  using folder = planFolder({ '.git/HEAD': '', 'a/b/c.txt': '' });
  assert.equal(findRoot(`${folder.root}/a/b`), folder.root);
  assert.equal(findRoot(`${folder.root}/missing`), null);
});

test('inside the tree of a worker the repository is the one that the tree belongs to', () => {
  using folder = planFolder({
    '.git/HEAD': '',
    '.czar/worktrees/one/.git/HEAD': '',
    '.czar/worktrees/one/.git/czar-tree': '20261121-1 one 1\n',
    '.czar/worktrees/one/src/x': '',
  });
  assert.equal(findRoot(`${folder.root}/.czar/worktrees/one/src`), folder.root);
});

test('a worker made from a sentence gets a free id and is not left behind when it is wrong', () => {
  using folder = planFolder(home);
  const add = (text: string, after: readonly string[] = []) =>
    addWorker(
      { root: folder.root, home: folder.home(), sources: onlyHome },
      {
        text,
        id: null,
        agent: 'mine',
        after,
        owns: [],
        verify: ['npm test'],
      },
    );
  const first = add('Fix: the "login" page & more, über alles', ['code']);
  assert.equal(first.kind === 'written' ? first.id : '', 'fix-the-login-page-more-u-ber-alles');
  const again = add('Fix: the "login" page & more, über alles');
  assert.equal(again.kind === 'written' ? again.id : '', 'fix-the-login-page-more-u-ber-alles-2');
  const wrong = add('Something else', ['ghost']);
  assert.equal(wrong.kind, 'invalid');
  const { plan } = folder.load();
  assert.equal(plan?.workers.length, 5);
  const made = plan.workers.find(({ id }) => id === 'fix-the-login-page-more-u-ber-alles');
  assert.equal(made?.mission, 'Fix: the "login" page & more, über alles');
  assert.deepEqual(made.verify, ['npm test']);
});
