/** `czar run --include-dirty`: agents see what the user has not committed, and nothing of the user's moves for it. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from './support/scratch.ts';
import { inTerminal } from './support/through.ts';

/** A plan of one worker, and a checkout with a changed, a deleted, a staged, an untracked and a secret file. */
async function dirty(yaml = ''): Promise<Scratch> {
  const scratch = await Scratch.make();
  scratch.scripted(
    'ls -A > "$HOME/seen"; cat README.md >> "$HOME/seen"; echo agent >> README.md; git add -A; git commit -qm work',
    yaml,
  );
  scratch.worker('a');
  scratch.write('deleted.txt', 'd\n');
  scratch.write('.gitignore', '*.log\n');
  scratch.commitAll();
  scratch.write('README.md', '# mine\n');
  scratch.write('staged.txt', 's\n');
  scratch.git('add', 'staged.txt');
  scratch.write('new.txt', 'n\n');
  scratch.write('x.log', 'ignored\n');
  scratch.write('.env', 'SECRET=1\n');
  scratch.acting(() => rmSync(join(scratch.repo, 'deleted.txt')));
  return scratch;
}

test(
  'agents see the uncommitted changes, which are a commit on no branch, and landing brings them back',
  inTerminal('npm run crash kills daemons at crash points'),
  async () => {
    await using scratch = await dirty();
    const head = scratch.git('rev-parse', 'HEAD');
    const branches = scratch.git('for-each-ref', 'refs/heads', 'refs/tags');
    for (const place of ['snapshot:before-ref', 'snapshot:after-ref']) {
      scratch.env['CZAR_CRASH_AT'] = place;
      const { code, signal, stderr } = await scratch.czar('run', '--include-dirty');
      assert.ok(signal === 'SIGKILL' || code === 137, `${place} was not reached: ${stderr}`);
      scratch.assertUntouched();
    }
    delete scratch.env['CZAR_CRASH_AT'];
    const done = await scratch.czar('run', '--include-dirty');
    assert.equal(done.code, 0, done.stderr);
    scratch.assertUntouched();
    assert.match(done.stderr, /Agents see 4 uncommitted files of your checkout too/);
    assert.match(done.stderr, /Not in the snapshot: \.env: its name looks like a secret/);
    assert.equal(scratch.git('for-each-ref', 'refs/heads/main', 'refs/tags'), branches);
    assert.deepEqual(readFileSync(join(scratch.base, 'home/seen'), 'utf8').trim().split('\n'), [
      '.czar',
      '.git',
      '.gitignore',
      'README.md',
      'WORKER_IDENTITY.md',
      'new.txt',
      'staged.txt',
      '# mine',
    ]);
    const [started, ...more] = (await scratch.events()).filter((one) => one.type === 'run.started');
    assert.deepEqual(more, []);
    const { run, data } = started;
    assert.equal(data.base.included, 4);
    assert.equal(scratch.git('rev-parse', `refs/czar/snapshot/${run}`), data.base.commit);
    assert.equal(scratch.git('rev-parse', `${data.base.commit}^`), head);
    assert.equal(
      scratch.git(
        'for-each-ref',
        '--contains',
        data.base.commit,
        '--format=%(refname)',
        'refs/heads',
      ),
      `refs/heads/czar/${run}-integration\nrefs/heads/czar/${run}/a`,
    );

    scratch.write('README.md', '# mine, changed again\n');
    const refused = await scratch.czar('land');
    assert.equal(refused.code, 4, refused.stderr);
    assert.match(refused.stderr, /README\.md/);
    scratch.assertUntouched();
    scratch.write('README.md', '# mine\n');
    const preview = await scratch.czar('land', '--dry-run');
    assert.equal(preview.code, 0, preview.stderr);
    scratch.assertUntouched();
    const landed = await scratch.czar('land');
    assert.equal(landed.code, 0, landed.stderr);
    assert.equal(scratch.git('show', 'main:README.md'), '# mine\nagent');
    assert.equal(scratch.git('status', '--porcelain'), '?? .env');
  },
);

test('a run that goes on keeps what it started from; where the changes do not belong they are refused', async () => {
  await using scratch = await dirty('base: other\n');
  scratch.git('branch', 'other', 'HEAD~1');
  const elsewhere = await scratch.czar('run', '--include-dirty');
  assert.equal(elsewhere.code, 2, elsewhere.stderr);
  assert.match(elsewhere.stderr, /starts from other/);
  scratch.git('branch', '-f', 'other', 'HEAD');
  const without = await scratch.czar('run');
  assert.equal(without.code, 0, without.stderr);
  assert.match(
    without.stderr,
    /5 files of your checkout have changes that no agent will see.*--include-dirty/,
  );
  const late = await scratch.czar('run', '--include-dirty');
  assert.equal(late.code, 4, late.stderr);
  assert.match(late.stderr, /goes on from the commit that it started with/);
  const wrong = await scratch.czar('run', '--include-dirty', '--failed');
  assert.equal(wrong.code, 2, wrong.stderr);
  const fresh = await scratch.czar('run', '--new', '--include-dirty');
  assert.equal(fresh.code, 0, fresh.stderr);
  const again = await scratch.czar('run', '--include-dirty');
  assert.equal(again.code, 0, again.stderr);
});
