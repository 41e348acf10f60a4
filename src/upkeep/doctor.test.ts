// What doctor says of facts that a test cannot bring about on the machine it runs on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planFolder } from '../../test/support/plan-folder.ts';
import { gitFinding, limitsFinding, nodeFinding, platformFinding } from './check-tools.ts';
import { reserveFindings, spaceFindings, writableFindings } from './check-machine.ts';

test('threat 15: a git that a hostile repository can harm is a warning, one that cannot merge a problem', () => {
  const levels = (...versions: readonly string[]): readonly string[] =>
    versions.map((version) => gitFinding(`git version ${version}`).level);
  assert.deepEqual(
    levels('2.39.4', '2.40.2', '2.45.1', '2.46.0', '2.50.1.windows.1', '3.0.0'),
    Array(6).fill('ok'),
  );
  assert.deepEqual(
    levels('2.38.0', '2.39.3', '2.43.3 (Apple Git-146)', '2.45.0'),
    Array(4).fill('warn'),
  );
  assert.deepEqual(levels('2.37.9', '1.9.0', '2.1.0'), Array(3).fill('problem'));
  assert.equal(gitFinding(null, 'no such file').level, 'problem');
});

test('an old Node is a problem', () => {
  assert.equal(nodeFinding('22.18.0').level, 'problem');
  assert.equal(nodeFinding('24.0.0').level, 'ok');
});

test('what is weaker on this platform is said of every platform', () => {
  assert.match(platformFinding('ps').what, /environment of processes cannot be read/);
  assert.match(platformFinding('proc').what, /no PID namespace/);
  assert.equal(limitsFinding({ pids: '/p', memory: '/m' }).level, 'ok');
  const half = limitsFinding({ pids: '/p', memory: null });
  assert.deepEqual([half.level, /for memory of an attempt/.test(half.what)], ['warn', true]);
  assert.match(limitsFinding({ pids: null, memory: null }).what, /for processes and memory of/);
});

test('fault 70: little space is a warning, hardly any a problem, and names the folder', () => {
  const [fine] = spaceFindings([{ folder: '/a', free: 5e9 }]);
  assert.equal(fine?.level, 'ok');
  const found = spaceFindings([
    { folder: '/a', free: 5e9 },
    { folder: '/b', free: 5e8 },
    { folder: '/c', free: 5e7 },
  ]);
  assert.deepEqual(
    found.map(({ level, where }) => [level, where]),
    [
      ['warn', '/b'],
      ['problem', '/c'],
    ],
  );
});

test('a folder that is gone or takes nothing is a problem that names it', () => {
  assert.deepEqual(writableFindings([import.meta.dirname]), []);
  const [found] = writableFindings(['/proc/1/nothing-here']);
  assert.deepEqual([found?.level, found?.where], ['problem', '/proc/1/nothing-here']);
});

test('a disk reserve above what is free is a problem: nothing would start', () => {
  const plan = (reserve: string) => {
    using folder = planFolder({
      '.czar/config.yaml': `disk_reserve: ${reserve}\n`,
      '.czar/workers/a.md': '---\nrole: x\n---\n',
    });
    return folder.load().plan ?? assert.fail();
  };
  const machine = { cpu: 2, memory: 4e9, disk: 100e9, free: 30e9 };
  assert.deepEqual(reserveFindings(plan('30GB'), { folder: '/r', machine }), []);
  const [found, ...others] = reserveFindings(plan('31GB'), { folder: '/r', machine });
  assert.deepEqual([found?.level, found?.check, others], ['problem', 'disk reserve', []]);
  assert.match(found?.what ?? '', /30 GB free, below the reserve of 31 GB/);
  assert.deepEqual(reserveFindings(plan('31GB'), { folder: '/r', machine: null }), []);
});
