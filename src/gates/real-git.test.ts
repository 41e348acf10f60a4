import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { TreeGate } from '../core/events.ts';
import { checkTree, removeCheckTree } from '../git/trees/check-tree.ts';
import { gitContext, type GitContext } from '../git/context.ts';
import { difference, filesOf } from '../git/facts.ts';
import { git, line } from '../git/git.ts';
import { ensureMirror } from '../git/mirror.ts';
import { judgeChange } from './change-gates.ts';
import { aChange, aDefinition } from './testing.ts';
import { checkMark } from './leftovers.ts';
import { runChecks } from './tree-gates.ts';

interface Repository {
  readonly context: GitContext;
  readonly root: string;
  /** Writes files, commits everything, brings it into the mirror; gives the commit. */
  readonly commit: (files: Readonly<Record<string, string>>) => Promise<string>;
}

async function repository(t: TestContext): Promise<Repository> {
  const root = await mkdtemp(join(tmpdir(), 'czar-gates-git-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const call = { cwd: root };
  await git(['init', '-q', '-b', 'main', '--template='], call);
  await git(['config', 'user.name', 'x'], call);
  await git(['config', 'user.email', 'x@localhost'], call);
  const context = gitContext({
    root,
    commonDir: join(root, '.git'),
    home: join(root, '.czar'),
  });
  return {
    context,
    root,
    commit: async (files) => {
      for (const [path, content] of Object.entries(files)) {
        await mkdir(join(root, path, '..'), { recursive: true });
        await writeFile(join(root, path), content);
      }
      await git(['add', '--all'], call);
      await git(['commit', '-q', '-m', 'x'], call);
      assert.equal((await ensureMirror(context)).kind, 'ready');
      return line(['rev-parse', 'HEAD'], call);
    },
  };
}

test('git shows a worker that weakens its own check and links out of its tree', async (t) => {
  const { context, root, commit } = await repository(t);
  const base = await commit({ 'check.sh': 'exit 1\n', 'README.md': 'x\n' });
  await symlink('/etc/passwd', join(root, 'innocent'));
  const tip = await commit({ 'check.sh': 'exit 0\n', 'work.txt': 'x\n' });

  const listed = await filesOf(context, tip);
  const before = await filesOf(context, base);
  const changed = await difference(context, { from: base, to: tip });
  assert.ok(
    listed.kind === 'files' && before.kind === 'files' && changed.kind === 'difference',
    JSON.stringify(changed),
  );
  const change = aChange([], {
    definition: aDefinition({ verify: ['sh check.sh'] }),
    files: listed.files,
    baseFiles: before.files.map(({ path }) => path),
    gateCommands: ['sh check.sh'],
  });
  const verdicts = judgeChange({ ...change, work: { ...change.work, changed: changed.changed } });
  const refused = verdicts.filter(({ result }) => result === 'fail');
  assert.deepEqual(
    refused.map(({ gate, files }) => [gate, files]),
    [
      ['ownership', ['innocent']],
      ['protect', ['check.sh']],
    ],
  );
});

test('checks run on a clean checkout of exactly the commit, with a git of its own', async (t) => {
  const { context, root, commit } = await repository(t);
  const first = await commit({ 'a.txt': 'one\n' });
  await commit({ 'a.txt': 'two\n' });
  await writeFile(join(root, 'untracked'), 'x');
  const gates = [
    'grep -qx one a.txt',
    'test ! -e untracked',
    'test "$(git rev-parse --show-toplevel)" = "$(pwd -P)"',
    `test "$(git rev-parse HEAD)" = ${first}`,
    'test -z "$(git status --porcelain)"',
  ].map((command): TreeGate => ({ gate: 'verify', command, setup: [], owner: 'alpha' }));
  const pool = join(root, '..', `${root.split('/').at(-1)}-spare/trees`);
  const outcome = await runChecks({
    id: 'one',
    tree: 'tree-1',
    gates,
    cacheDir: join(root, '..', `${root.split('/').at(-1)}-cache`),
    makeTree: async (dir) => {
      const made = await checkTree(context, { commit: first, dir, pool });
      return made.kind === 'ready' ? { ok: true } : { ok: false, error: JSON.stringify(made) };
    },
    removeTree: (dir) => removeCheckTree(context, { dir, pool }),
    env: { PATH: process.env['PATH'], HOME: root },
    mark: checkMark(root),
    timeoutMs: 10_000,
    graceMs: 100,
    logs: { dir: join(root, '.czar', 'logs'), home: join(root, '.czar'), redact: (text) => text },
    signal: new AbortController().signal,
  });
  await rm(join(root, '..', `${root.split('/').at(-1)}-cache`), { recursive: true, force: true });
  assert.equal(outcome.kind, 'judged');
  assert.deepEqual(
    outcome.kind === 'judged' && outcome.verdicts.flatMap((one) => one.findings),
    [],
  );
});
