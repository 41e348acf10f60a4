// `czar doctor`, as the built program in repositories in which something is not as it should be.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { once } from './support/once.ts';
import { Scratch } from './support/scratch.ts';

const state = (scratch: Scratch, ...parts: readonly string[]): string =>
  join(scratch.repo, '.git/czar', ...parts);

const home = (scratch: Scratch, ...parts: readonly string[]): string =>
  join(scratch.repo, '.czar', ...parts);

/** A repository in which a run is complete, or failed with work that is kept. */
async function runOf(agent: string, yaml = ''): Promise<Scratch> {
  const scratch = await Scratch.make();
  scratch.scripted(agent, yaml);
  scratch.worker('a', 'deliverables: [a.txt]');
  scratch.commitAll();
  await scratch.czar('run');
  return scratch;
}

const afterRun = once(() => runOf('echo a > a.txt'));

interface Found {
  readonly check: string;
  readonly level: string;
  readonly what: string;
  readonly where: string | null;
  readonly fixable: boolean;
}

/** What this machine cannot do is no fault of a repository. */
const ofMachine: ReadonlySet<string> = new Set(['platform', 'limits']);

async function findings(scratch: Scratch, level: string): Promise<readonly Found[]> {
  const { findings: all }: { findings: readonly Found[] } = await scratch.json('doctor');
  return all.filter((one) => one.level === level && !ofMachine.has(one.check));
}

const checksOf = (found: readonly Found[]): readonly string[] => found.map(({ check }) => check);

/** Every file below a folder with what is in it. */
function contents(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    // Whoever reads the log makes these two.
    .filter((path) => statSync(path).isFile() && !/\.db-(?:shm|wal)$/.test(path));
  const print = (path: string): string =>
    createHash('sha256').update(readFileSync(path)).digest('hex');
  return new Map(files.sort().map((path) => [path, print(path)]));
}

test('doctor finds nothing wrong after a run, and changes nothing', async () => {
  await using scratch = await afterRun();
  const before = [contents(state(scratch)), contents(home(scratch))];
  const { code, stdout } = await scratch.czar('doctor');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^ok +log: \d+ events, the hash chain is whole$/m);
  assert.match(stdout, /^ok +mirror: all objects are there$/m);
  assert.deepEqual([contents(state(scratch)), contents(home(scratch))], before);
  assert.deepEqual(await findings(scratch, 'problem'), []);
});

/** What a czar that was killed leaves, one of each kind. */
function leaveBehind(scratch: Scratch): readonly string[] {
  const left = [
    home(scratch, 'worktrees/.making-a'),
    home(scratch, 'worktrees/.spare/1.1'),
    home(scratch, 'worktrees/.trash/a.1.1'),
    state(scratch, 'mirror.making-77'),
    state(scratch, 'mirror.git/refs/czar/x.lock'),
    state(scratch, 'owner.json.77'),
    state(scratch, 'owner.json'),
  ];
  for (const path of left.slice(0, 4)) {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'file'), '');
  }
  for (const path of left.slice(4)) writeFileSync(path, '');
  const owner = { pid: 4_190_000, start: '1', socket: null, version: '0' };
  writeFileSync(state(scratch, 'owner.json'), JSON.stringify(owner));
  return left;
}

test('what a killed czar left is named, taken away with --fix, and nothing is left to mend then', async () => {
  await using scratch = await afterRun();
  const left = leaveBehind(scratch);
  rmSync(home(scratch, 'logs/events.log'));
  const jsonl = home(scratch, 'logs/events.jsonl');
  const whole = readFileSync(jsonl, 'utf8');
  writeFileSync(jsonl, whole.replace('worker.active', 'worker.actife'));
  assert.deepEqual(checksOf(await findings(scratch, 'warn')), ['lock', 'log files', 'leavings']);
  for (const path of left) assert.ok(existsSync(path), `${path} is still there`);
  const fixed = await scratch.json('doctor', '--fix');
  assert.deepEqual(checksOf(fixed.mended), ['lock', 'log files', 'leavings']);
  for (const path of left) assert.ok(!existsSync(path), path);
  assert.equal(readFileSync(jsonl, 'utf8'), whole);
  assert.equal(
    readFileSync(home(scratch, 'logs/events.log'), 'utf8').split('\n').length,
    whole.split('\n').length,
  );
  assert.deepEqual(await findings(scratch, 'warn'), []);
  assert.deepEqual((await scratch.json('doctor', '--fix')).mended, []);
});

test('a doctor that is killed before or after any mending goes on when it is called again', async () => {
  for (const point of ['doctor:before-mend', 'doctor:after-mend#2']) {
    await using scratch = await afterRun();
    const left = leaveBehind(scratch);
    writeFileSync(home(scratch, 'logs/events.log'), 'nonsense\n');
    scratch.env['CZAR_CRASH_AT'] = point;
    assert.equal((await scratch.czar('doctor', '--fix')).signal, 'SIGKILL', point);
    delete scratch.env['CZAR_CRASH_AT'];
    assert.equal((await scratch.czar('doctor', '--fix')).code, 0);
    for (const path of left) assert.ok(!existsSync(path), `${path} after ${point}`);
    assert.deepEqual(await findings(scratch, 'warn'), []);
  }
});

test('a cache folder that cannot be made is a problem: no check could run', async () => {
  await using scratch = await Scratch.make();
  scratch.worker('a');
  scratch.write('file', '');
  scratch.env['XDG_CACHE_HOME'] = join(scratch.repo, 'file/cache');
  const { code, stdout } = await scratch.czar('doctor');
  assert.equal(code, 1, stdout);
  assert.match(stdout, /^problem folders: a file is in the way of a folder\n +at .*\/file$/m);
});

test('a log that was changed by hand is a problem, and --fix leaves it alone', async () => {
  await using scratch = await afterRun();
  const file = state(scratch, 'czar.db');
  const db = new DatabaseSync(file);
  for (const { name } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all())
    db.exec(`DROP TRIGGER ${String(name)}`);
  db.exec('UPDATE event SET at = at + 1 WHERE seq = 2');
  db.close();
  const before = contents(state(scratch)).get(file);
  const { code, stdout } = await scratch.czar('doctor', '--fix');
  assert.equal(code, 1);
  assert.match(stdout, /^problem +log: the log is not what was written: .*2/m);
  assert.equal(contents(state(scratch)).get(file), before);
});

test('an object that the mirror lacks is a problem', async () => {
  await using scratch = await afterRun();
  const commit = scratch.gitIn(
    state(scratch, 'mirror.git'),
    'rev-parse',
    'refs/czar/integration/'.concat((await scratch.json('status')).run.id),
  );
  const object = state(scratch, 'mirror.git/objects', commit.slice(0, 2), commit.slice(2));
  const bytes = readFileSync(object);
  rmSync(object);
  const found = await findings(scratch, 'problem');
  assert.deepEqual(checksOf(found), ['mirror']);
  assert.equal((await scratch.czar('doctor')).code, 1);
  writeFileSync(object, bytes);
  assert.deepEqual(await findings(scratch, 'problem'), []);
});

test('an agent of the plan that is not on the PATH is a problem that names it', async () => {
  await using scratch = await Scratch.make();
  scratch.write(
    '.czar/config.yaml',
    'agents: {default: x, define: {x: {command: [no-such-agent]}}}\n',
  );
  scratch.worker('a');
  const found = await findings(scratch, 'problem');
  assert.deepEqual(checksOf(found), ['agents']);
  assert.match(
    found[0]?.what ?? '',
    /the agent x cannot be started: no-such-agent is not on the PATH \(needed by a\)/,
  );
  scratch.write('.czar/workers/a.md', '---\nbogus: 1\n---\n');
  const plan = await findings(scratch, 'problem');
  assert.deepEqual([checksOf(plan), plan[0]?.where], [['plan'], '.czar/workers/a.md:2']);
});

test('files above the working trees and hooks of the repository are named, not touched', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('true');
  scratch.worker('a');
  scratch.write('package.json', '{"lint-staged": {}}');
  scratch.write('CLAUDE.md', 'x');
  scratch.commitAll();
  scratch.write('.husky/pre-commit', 'npm test\n');
  scratch.write('node_modules/x/index.js', '');
  scratch.git('config', 'core.hooksPath', '.husky');
  writeFileSync(join(scratch.base, 'tsconfig.json'), '{}');
  const found = await findings(scratch, 'warn');
  const said = (check: string): readonly string[] =>
    found.filter((one) => one.check === check).map(({ what, where }) => `${what} @ ${where}`);
  const above = said('above the trees');
  assert.match(
    above.find((one) => one.endsWith(`@ ${scratch.repo}`)) ?? '',
    /pick up CLAUDE\.md, node_modules from/,
  );
  assert.match(
    above.find((one) => one.endsWith(`@ ${scratch.base}`)) ?? '',
    /pick up tsconfig\.json from/,
  );
  assert.deepEqual(
    found.filter((one) => one.check === 'hooks').map(({ where }) => where),
    ['core.hooksPath=.husky', '.husky', 'package.json: lint-staged'],
  );
  scratch.scripted('true', 'checks: npm test\n');
  assert.deepEqual(
    checksOf(await findings(scratch, 'warn')).filter((check) => check === 'hooks'),
    [],
  );
});

test('kept work whose ref was deleted from the repository gets it again with --fix', async () => {
  await using scratch = await runOf('echo half > half.txt; exit 1', 'retry: {max_attempts: 1}\n');
  const [entry] = (await scratch.json('kept', 'list')).kept;
  assert.equal(scratch.git('rev-parse', entry.ref), entry.commit);
  scratch.git('update-ref', '-d', entry.ref);
  const found = await findings(scratch, 'warn');
  assert.deepEqual(checksOf(found), ['mirror']);
  assert.ok(found[0]?.where?.includes(entry.ref));
  assert.equal((await scratch.czar('doctor', '--fix')).code, 0);
  assert.equal(scratch.git('rev-parse', entry.ref), entry.commit);
});

test('a daemon that its guardian gave up on is named', async () => {
  await using scratch = await afterRun();
  writeFileSync(state(scratch, 'guardian-gave-up'), '6 1\n');
  const [found] = await findings(scratch, 'warn');
  assert.match(found?.what ?? '', /the daemon died 6 times and was not started again/);
});

test('a working tree that the log does not know is named and never taken away', async () => {
  await using scratch = await afterRun();
  const tree = home(scratch, 'worktrees/stranger');
  mkdirSync(join(tree, '.git'), { recursive: true });
  writeFileSync(join(tree, '.git/czar-tree'), '20200101-1 stranger 1\n');
  const found = await findings(scratch, 'warn');
  assert.deepEqual(
    found.map(({ check, where, fixable }) => [check, where, fixable]),
    [['working trees', tree, false]],
  );
  await scratch.czar('doctor', '--fix');
  assert.ok(existsSync(tree));
});

test('while a czar runs, doctor looks without disturbing it, and --fix is refused', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const run = scratch.start('run');
  const agent = await scratch.stubs.agent('a');
  mkdirSync(home(scratch, 'worktrees/.making-b'));
  const { code, stdout } = await scratch.czar('doctor');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^ok +lock: czar .* runs in this repository$/m);
  const refused = await scratch.czar('doctor', '--fix');
  assert.equal(refused.code, 4, refused.stdout + refused.stderr);
  assert.ok(existsSync(home(scratch, 'worktrees/.making-b')));
  agent.exit(0);
  assert.equal((await run.finished).code, 0);
});
