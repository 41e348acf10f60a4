import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCommand } from '../process/run.ts';
import { writeIdentity } from './identity-file.ts';

test('the identity file replaces what an agent put there, and leaves what is not czar’s', async () => {
  const base = mkdtempSync(join(tmpdir(), 'czar-identity-'));
  const tree = join(base, 'tree');
  const path = join(tree, 'ID.md');
  const elsewhere = join(base, 'elsewhere');
  const ours = '# Worker identity: one\n';
  const put: Readonly<Record<string, () => void | Promise<unknown>>> = {
    nothing: () => {},
    'our own': () => writeFileSync(path, '# Worker identity: before\n'),
    'a FIFO': () =>
      runCommand({
        argv: ['mkfifo', path],
        cwd: base,
        env: { PATH: process.env['PATH'] ?? '' },
        timeoutMs: 5_000,
      }),
    'a link': () => symlinkSync(elsewhere, path),
    'a link to nothing': () => symlinkSync('missing', path),
    'an empty folder': () => mkdirSync(path),
  };
  try {
    for (const [what, make] of Object.entries(put)) {
      rmSync(tree, { recursive: true, force: true });
      mkdirSync(tree);
      writeFileSync(elsewhere, '# Worker identity: theirs\n');
      await make();
      writeIdentity(tree, 'ID.md', ours);
      assert.ok(lstatSync(path).isFile(), what);
      assert.equal(readFileSync(path, 'utf8'), ours, what);
      assert.equal(readFileSync(elsewhere, 'utf8'), '# Worker identity: theirs\n', what);
      assert.deepEqual(readdirSync(base).sort(), ['elsewhere', 'tree'], what);
    }
    writeFileSync(path, 'The repository’s own.\n');
    writeIdentity(tree, 'ID.md', ours);
    assert.equal(readFileSync(path, 'utf8'), 'The repository’s own.\n');
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
