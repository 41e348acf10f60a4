import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeGeneratedFolder, makeWithinHome, obstacle } from './generated-folder.ts';

test('a generated folder ignores itself, also when a kill left its ignore file empty, and keeps one that someone changed', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'czar-generated-'));
  t.after(() => {
    rmSync(dir, { recursive: true });
  });
  const logs = join(dir, 'logs');
  const ignore = join(logs, '.gitignore');
  makeGeneratedFolder(logs);
  assert.equal(readFileSync(ignore, 'utf8'), '*\n');
  writeFileSync(ignore, '');
  makeGeneratedFolder(logs);
  assert.equal(readFileSync(ignore, 'utf8'), '*\n');
  assert.deepEqual(readdirSync(logs), ['.gitignore']);
  writeFileSync(ignore, '*\n!keep\n');
  makeGeneratedFolder(logs);
  assert.equal(readFileSync(ignore, 'utf8'), '*\n!keep\n');
});

test('a generated folder is no link that leads out of its home, nor to nothing, and nothing is written through one', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'czar-generated-'));
  t.after(() => {
    rmSync(dir, { recursive: true });
  });
  const home = join(dir, 'home');
  const outside = join(dir, 'outside');
  for (const each of [home, outside, join(home, 'inside')]) mkdirSync(each);
  symlinkSync(outside, join(home, 'out'));
  symlinkSync('nowhere', join(home, 'nothing'));
  symlinkSync('.', join(home, 'itself'));
  symlinkSync('inside', join(home, 'in'));
  writeFileSync(join(home, 'file'), 'z');
  for (const name of ['out', 'nothing', 'itself'])
    assert.throws(() => makeGeneratedFolder(join(home, name)), /leads out of .*: move it away/);
  assert.throws(() => makeGeneratedFolder(join(home, 'file')), /file is no folder: move it away/);
  assert.equal(obstacle(join(home, 'in')), null);
  makeGeneratedFolder(join(home, 'in'));
  assert.equal(readFileSync(join(home, 'inside/.gitignore'), 'utf8'), '*\n');
  assert.deepEqual(readdirSync(outside), []);
});

test('what stands in the way of a folder in a generated one is moved aside, whatever it is, and no link is followed', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'czar-generated-'));
  t.after(() => {
    rmSync(home, { recursive: true });
  });
  mkdirSync(join(home, 'runs/1'), { recursive: true });
  mkdirSync(join(home, 'outside'));
  writeFileSync(join(home, 'runs/1/a'), 'z');
  symlinkSync(join(home, 'outside'), join(home, 'runs/2'));
  for (const [run, worker] of [
    ['1', 'a'],
    ['2', 'b'],
  ] as const) {
    const wanted = join(home, 'runs', run, worker, '3');
    makeWithinHome(home, wanted);
    makeWithinHome(home, wanted);
    assert.ok(lstatSync(wanted).isDirectory());
    assert.ok(lstatSync(join(home, 'runs', run)).isDirectory());
  }
  assert.deepEqual(readdirSync(join(home, 'outside')), []);
  const [aside = ''] = readdirSync(join(home, 'runs/1')).filter((name) => name !== 'a');
  assert.equal(readFileSync(join(home, 'runs/1', aside), 'utf8'), 'z');
});
