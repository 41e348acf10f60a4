/** `.worktreeinclude`: ignored files of the checkout that every fresh tree is given, and that are nobody's work. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

/** A checkout with ignored files of all kinds, and a list that names some of them. */
function ignoredFiles(scratch: Scratch): void {
  scratch.write('.gitignore', '.env*\nlocal/\n*.cache\n');
  scratch.write(
    '.worktreeinclude',
    '# what agents need\n.env*\n!.env.production\nlocal/keys/\nnotes.txt\n',
  );
  scratch.commitAll('ignore');
  for (const [path, text] of [
    ['.env', 'A=1'],
    ['.env.production', 'A=2'],
    ['sub/.env', 'B=1'],
    ['local/keys/one.pem', 'k'],
    ['local/other', 'o'],
    ['big.cache', 'c'],
    // Named by the list, but no ignored file: git would show it.
    ['notes.txt', 'n'],
  ] as const)
    scratch.write(path, text);
  scratch.acting(() => chmodSync(join(scratch.repo, 'local/keys/one.pem'), 0o600));
}

const look = `find . -type f -not -path './.git/*' | sort >"$HOME/seen"
stat -c %a local/keys/one.pem >>"$HOME/seen" 2>/dev/null || stat -f %Lp local/keys/one.pem >>"$HOME/seen"
git status --porcelain >>"$HOME/seen"
`;

test('ignored files that it names are in the tree, others are not, and git there sees none of them', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(`${look}echo x >x.txt\n`);
  ignoredFiles(scratch);
  scratch.worker('a');
  scratch.git('add', '.czar');
  scratch.git('commit', '-qm', 'plan');
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  const seen = readFileSync(join(scratch.base, 'home/seen'), 'utf8').trim().split('\n');
  const carried = seen.filter((path) => /env|local|cache|notes/.test(path));
  assert.deepEqual(carried, ['./.env', './local/keys/one.pem', './sub/.env']);
  assert.equal(seen.at(-1), '600');
  const { commit } = only(scratch.log(), 'worker.merged').data;
  assert.doesNotMatch(scratch.git('ls-tree', '-r', '--name-only', commit), /env$|local/m);
});

test('one that an agent commits all the same is not merged, and it is told what to do', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `if [ "$CZAR_ATTEMPT" = 1 ]; then git add -f .env; else git rm -q --cached .env; fi
git commit -qm e; echo x >x.txt\n`,
  );
  ignoredFiles(scratch);
  scratch.worker('a');
  scratch.git('add', '.czar');
  scratch.git('commit', '-qm', 'plan');
  assert.equal((await scratch.czar('run')).code, 5);
  const findings = all(scratch.log(), 'gate.failed').flatMap(({ data }) => data.verdict.findings);
  assert.deepEqual(findings, [
    '.env was carried into the tree and is no part of the work: git rm --cached .env, then commit.',
  ]);
  assert.equal((await scratch.czar('retry', 'a')).code, 0);
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  const { commit } = only(scratch.log(), 'worker.merged').data;
  assert.doesNotMatch(scratch.git('ls-tree', '-r', '--name-only', commit), /\.env/);
});

test('files that only the user ignores are no work of an agent that leaves them uncommitted', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('test -f mine.key; echo x >x.txt\n');
  scratch.write('.worktreeinclude', '*.key\n');
  scratch.worker('a');
  scratch.commitAll();
  const { folder } = scratch.acting(() => {
    const info = join(scratch.repo, '.git/info');
    mkdirSync(info, { recursive: true });
    writeFileSync(join(info, 'exclude'), '*.key\n');
    writeFileSync(join(scratch.repo, 'mine.key'), 'k');
    return { folder: info };
  });
  assert.ok(folder !== '');
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  const { commit } = only(scratch.log(), 'worker.merged').data;
  assert.match(scratch.git('ls-tree', '--name-only', commit), /^x\.txt$/m);
  assert.doesNotMatch(scratch.git('ls-tree', '--name-only', commit), /mine\.key/);
});

test('what the plan carries in and is not there fails the attempt by its name; once it is there the worker goes on', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('cat .env.local modules/x >both.txt\n');
  scratch.write('.gitignore', '.env.local\nmodules/\n');
  scratch.write('modules/x', 'linked\n');
  scratch.worker(
    'a',
    'copy: [.env.local]\nlink: [modules]\ndeliverables: [both.txt]\nretry: {max_attempts: 2, initial: 0s}',
  );
  scratch.commitAll();
  const { code } = await scratch.czar('run');
  assert.equal(code, 1);
  const log = scratch.log();
  assert.deepEqual(
    all(log, 'worker.error').map(({ data }) => data.error),
    Array(2).fill(
      'setup failed: .env.local cannot be carried into the tree: there is no such file',
    ),
  );
  assert.deepEqual(all(log, 'worker.active'), []);
  scratch.write('.env.local', 'copied\n');
  assert.equal((await scratch.czar('retry', 'a')).code, 0);
  const again = await scratch.czar('run');
  assert.equal(again.code, 0, again.stderr);
  const { run } = only(log, 'run.started');
  assert.equal(scratch.git('show', `czar/${run}-integration:both.txt`), 'copied\nlinked');
});

test('a setup that fails is told with its command, how it ended and what it said', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('true\n');
  scratch.worker('a', 'setup: ["true", "sh install.sh"]\nretry: {max_attempts: 1}');
  scratch.write('install.sh', 'echo no such registry >&2\nexit 7\n');
  scratch.commitAll();
  const { code, stdout } = await scratch.czar('run');
  assert.equal(code, 1);
  assert.match(stdout, /^✗ a failed: setup failed: sh install\.sh: exit 7 no such registry$/m);
});
