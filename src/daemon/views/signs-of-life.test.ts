import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { signsOfLife } from './signs-of-life.ts';
import { watchStall } from '../perform/watch-stall.ts';

function folder(t: { after: (what: () => void) => void }): string {
  const made = mkdtempSync(join(tmpdir(), 'czar-signs-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function touch(file: string, seconds: number, text = 'x'): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  utimesSync(file, seconds, seconds);
}

test('output, errors, reports, commits and answers are signs of life, in a clone and in a linked worktree', (t) => {
  const at = folder(t);
  const [attempt, clone, linked] = ['attempt', 'clone', 'linked'].map((name) => join(at, name));
  assert.ok(attempt !== undefined && clone !== undefined && linked !== undefined);
  assert.deepEqual(signsOfLife(attempt, null), {
    output: null,
    report: null,
    commit: null,
    answer: null,
  });
  touch(join(attempt, 'output'), 10);
  touch(join(attempt, 'errors'), 20);
  touch(join(attempt, 'report'), 30, '');
  const printed = { output: 20_000, report: null, commit: null, answer: null };
  assert.deepEqual(signsOfLife(attempt, clone), printed);
  touch(join(attempt, 'report'), 40);
  touch(join(clone, '.git/logs/HEAD'), 50);
  const worked = { ...printed, report: 40_000, commit: 50_000 };
  assert.deepEqual(signsOfLife(attempt, clone), worked);
  mkdirSync(join(attempt, 'answers'));
  utimesSync(join(attempt, 'answers'), 55, 55);
  assert.deepEqual(signsOfLife(attempt, clone), { ...worked, answer: 55_000 });
  touch(join(at, 'repo/.git/worktrees/linked/logs/HEAD'), 60);
  touch(join(linked, '.git'), 1, `gitdir: ${join(at, 'repo/.git/worktrees/linked')}\n`);
  assert.equal(signsOfLife(attempt, linked).commit, 60_000);
});

test('silence is measured by a steady clock from the last change that was seen, whatever the files’ times say, and told again while it lasts', async (t) => {
  const attemptDir = folder(t);
  const output = join(attemptDir, 'output');
  touch(output, 1);
  let now = 0;
  const looks: number[] = [];
  let told = 0;
  await new Promise<void>((stalledTwice) => {
    const stalled = (): void => {
      told += 1;
      if (told === 2) stalledTwice();
    };
    const clock = (): number => {
      looks.push(now);
      // It prints just before it would have been silent for too long, and never again.
      if (now === 80) touch(output, 2);
      now += 10;
      return looks.at(-1) ?? 0;
    };
    const watched = watchStall({ attemptDir, tree: null, afterMs: 100, stalled, clock });
    t.after(() => watched[Symbol.dispose]());
  });
  const last = looks.at(-1) ?? 0;
  assert.ok(last >= 280, `after ${last}`);
});
