import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { allDeleted, discard, emptyTrash, trashName } from './discard.ts';

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'czar-discard-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function filled(path: string, files: number): void {
  mkdirSync(join(path, 'below'), { recursive: true });
  for (let n = 0; n < files; n += 1) writeFileSync(join(path, 'below', String(n)), '');
}

test('fault 69: the place of a large folder is free before its files are deleted, and serves at once', async (t) => {
  const folder = scratch(t);
  const place = join(folder, 'tree');
  filled(place, 2_000);
  const { deleted } = await discard(place);
  // The same turn of the event loop: nothing that takes time has happened since the rename.
  assert.equal(existsSync(place), false);
  const [aside = ''] = readdirSync(join(folder, trashName));
  assert.ok(readdirSync(join(folder, trashName, aside, 'below')).length > 1_000);
  filled(place, 3);
  await deleted;
  assert.deepEqual(readdirSync(join(folder, trashName)), []);
  assert.equal(readdirSync(join(place, 'below')).length, 3, 'what took the place stays');
});

test('fault 69: several may be on their way out at once, and all are waited for before a loop ends', async (t) => {
  const folder = scratch(t);
  for (const name of ['a', 'b', 'a']) {
    filled(join(folder, name), 200);
    await discard(join(folder, name));
  }
  await allDeleted();
  assert.deepEqual(readdirSync(folder), [trashName]);
  assert.deepEqual(readdirSync(join(folder, trashName)), []);
});

test('fault 69: what a killed process left half deleted is deleted by the next one', async (t) => {
  const folder = scratch(t);
  filled(join(folder, trashName, 'tree.1.2'), 20);
  rmSync(join(folder, trashName, 'tree.1.2/below/7'));
  await emptyTrash(folder);
  assert.deepEqual(readdirSync(join(folder, trashName)), []);
});
