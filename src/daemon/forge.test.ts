import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { forgeFolder } from '../../test/support/forge-folder.ts';
import { ForgeError } from './forge/forge-call.ts';
import { forgeOf, hostOf } from './forge.ts';
import { bodyOf } from './forge/pull-request.ts';

const order = { branch: 'czar/r-integration', target: 'main', tip: 'c1' };
const text = { title: 'Run r', body: 'what there is' };

for (const program of ['gh', 'glab'] as const) {
  test(`${program} opens, finds, updates and looks at a pull request, with nothing of it in its arguments`, async () => {
    const root = mkdtempSync(join(tmpdir(), 'czar-forge-'));
    try {
      const made = forgeFolder(root, program);
      const forge = forgeOf('/some/remote.git', { root, env: { PATH: made.folder } });
      assert.ok(!('missing' in forge));
      assert.equal(forge.program, program);
      assert.equal(await forge.find(order), null);
      const opened = await forge.open(order, text);
      assert.deepEqual(opened, {
        number: 1,
        url: 'https://example.org/pulls/1',
        state: 'open',
      });
      assert.deepEqual(await forge.find(order), opened);
      assert.equal(await forge.find({ ...order, target: 'other' }), null);
      await forge.update(1, { ...text, body: 'more' });
      assert.equal(made.pulls()[0]?.body, 'more');
      await assert.rejects(forge.open(order, text), /exists already/);
      made.set('merged');
      assert.equal((await forge.look(1)).state, 'merged');
      made.set('closed');
      assert.equal((await forge.look(1)).state, 'closed');
      assert.ok(made.calls().every(({ args }) => !args.join(' ').includes(text.body)));
      writeFileSync(join(made.folder, 'away'), '');
      await assert.rejects(forge.look(1), ForgeError);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
}

test('the host of the remote says which program, else what is installed', () => {
  const root = mkdtempSync(join(tmpdir(), 'czar-forge-'));
  try {
    const { folder } = forgeFolder(root, 'gh', 'glab');
    const program = (url: string): string => {
      const forge = forgeOf(url, { root, env: { PATH: folder } });
      return 'missing' in forge ? forge.missing : forge.program;
    };
    assert.equal(program('git@gitlab.example.org:a/b.git'), 'glab');
    assert.equal(program('https://user@github.com/gitlab/b.git'), 'gh');
    assert.equal(program('ssh://git@code.example.org:22/a/b.git'), 'gh');
    rmSync(join(folder, 'glab'));
    assert.equal(program('https://gitlab.com/a/b'), 'glab is not on the PATH');
    rmSync(join(folder, 'gh'));
    assert.equal(program('https://code.example.org/a/b'), 'neither gh nor glab is on the PATH');
    assert.deepEqual(
      ['/a/gitlab/b.git', '../github/b', 'file:///gitlab/b', 'host:a/b'].map(hostOf),
      ['', '', '', 'host'],
    );
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('the report as a body names nobody, closes nothing, and is not longer than may be', () => {
  assert.equal(
    bodyOf('Thanks @octocat and @org/team; fixes #12 and !3.'),
    'Thanks @\u200boctocat and @\u200borg/team; fixes #\u200b12 and !\u200b3.',
  );
  assert.equal(bodyOf('# Title\n\na @ b\n'), '# Title\n\na @ b\n');
  const long = bodyOf('one line of it\n'.repeat(10_000));
  assert.ok(long.length < 62_000);
  assert.match(long, /one line of it\n\nThe report is longer: czar closeout prints the whole\.\n$/);
});
