/** The package as users get it: packed, installed without a network, moved, half there, and replaced while it runs. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Scratch } from './support/scratch.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'czar-package-')));
const installed = join(scratch, 'project/node_modules/czar-orchestrator');
const env = {
  PATH: process.env['PATH'],
  HOME: join(scratch, 'home'),
  XDG_CACHE_HOME: join(scratch, 'cache'),
  LANG: 'C.UTF-8',
};
after(() => rmSync(scratch, { recursive: true, force: true }));

before(() => {
  for (const folder of ['home', 'project']) mkdirSync(join(scratch, folder));
  writeFileSync(join(scratch, 'project/package.json'), '{"name": "project", "private": true}');
  // Without scripts: packing would build once more, under the feet of other tests.
  const packed = npm(root, 'pack', '--ignore-scripts', '--json', '--pack-destination', scratch);
  const { filename } = JSON.parse(packed)[0];
  npm(join(scratch, 'project'), 'install', '--offline', join(scratch, filename));
});

test('an installed package has its licences and needs no other package', () => {
  const beside = readdirSync(join(scratch, 'project/node_modules'));
  assert.deepEqual(
    beside.filter((name) => !name.startsWith('.')),
    ['czar-orchestrator'],
  );
  const dist = readdirSync(join(installed, 'dist'), { recursive: true }).map(String);
  const maps = dist.filter((file) => file.endsWith('.map'));
  const sources = maps.flatMap((file): readonly string[] => {
    return JSON.parse(readFileSync(join(installed, 'dist', file), 'utf8')).sources;
  });
  const inside = new Set(
    sources.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []),
  );
  assert.ok(inside.has('commander') && inside.has('zod') && inside.has('yaml'));
  const licenses = readFileSync(join(installed, 'dist/LICENSES.txt'), 'utf8');
  // What is no package of its own came within one.
  const packages = [...inside].filter((name) =>
    existsSync(new URL(`../node_modules/${name}`, import.meta.url)),
  );
  for (const name of packages) assert.match(licenses, new RegExp(`^${name} \\d+\\.`, 'm'));
  assert.deepEqual(
    dist.filter((file) => file.endsWith('.ts')),
    [],
  );
});

test('an installed package answers, and plays its demo to the end', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const bin = join(scratch, 'project/node_modules/.bin/czar');
  assert.equal(run([bin, '--version']).stdout, `${version}\n`);
  const demo = run([bin, 'demo', '--keep', join(scratch, 'demo')]);
  assert.equal(demo.status, 0, demo.stderr);
  assert.match(demo.stdout, /7 workers: 7 complete/);
});

test('the verbs that look at a run need nothing but their own file', () => {
  const half = join(scratch, 'half');
  for (const file of ['bin', 'package.json', 'dist/cli/main.js', 'dist/cli/look.js'])
    cpSync(join(installed, file), join(half, file), { recursive: true });
  const demo = join(scratch, 'demo');
  for (const words of [
    ['--version'],
    ['status'],
    ['status', 'security', '--json'],
    ['status', '--at', '20'],
    ['events', '--limit', '3'],
    ['why', 'security', '--json'],
    ['logs', 'testing'],
    ['path', 'security'],
  ]) {
    const [whole, alone] = [installed, half].map((home) =>
      run([join(home, 'bin/czar'), ...words], { cwd: demo }),
    );
    const shown = ({ status, stdout, stderr }: Ran): unknown => ({
      status,
      stderr,
      stdout: stdout.replace(/"observed_at":"[^"]*"/, ''),
    });
    assert.ok(whole !== undefined && alone !== undefined);
    assert.deepEqual(shown(alone), shown(whole), words.join(' '));
    assert.notEqual(whole.stdout + whole.stderr, '', words.join(' '));
  }
  const report = join(scratch, 'report');
  const attempt = { CZAR_REPORT_FILE: report, CZAR_RUN: 'r', CZAR_WORKER: 'w', CZAR_ATTEMPT: '1' };
  writeFileSync(report, '');
  const emitted = run([join(half, 'bin/czar'), 'emit', 'checkpoint', 'half'], { more: attempt });
  assert.equal(emitted.status, 0, emitted.stderr);
  assert.match(readFileSync(report, 'utf8'), /half/);
});

test('what was compiled is kept in the cache folder, and czar works where nothing can be kept', () => {
  const demo = join(scratch, 'demo');
  const status = (cache: string): Ran =>
    run([join(installed, 'bin/czar'), 'status'], { cwd: demo, more: { XDG_CACHE_HOME: cache } });
  const kept = join(scratch, 'kept');
  const expected = status(kept);
  assert.equal(expected.status, 0);
  assert.ok(readdirSync(join(kept, 'czar/compiled'), { recursive: true }).length > 1);

  const sealed = join(scratch, 'sealed');
  mkdirSync(sealed);
  chmodSync(sealed, 0o500);
  const torn = join(scratch, 'torn');
  status(torn);
  for (const file of readdirSync(join(torn, 'czar/compiled'), { recursive: true }).map(String)) {
    const path = join(torn, 'czar/compiled', file);
    if (!file.includes('/')) continue;
    writeFileSync(path, readFileSync(path).subarray(0, 100));
  }
  for (const cache of ['/dev/null', join(scratch, 'project/package.json'), sealed, torn, 'here']) {
    const { status: code, stdout, stderr } = status(cache);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: expected.stdout, stderr: '' });
  }
  assert.equal(existsSync(join(demo, 'here')), false);
});

test('a run goes on to its end when the package is replaced under it', async () => {
  await using repository = await Scratch.make();
  repository.config('max_parallel: 1\n');
  repository.worker('a', 'deliverables: [a.txt]\nverify: test -f a.txt');
  repository.worker('b', 'dependencies: [a]\nsetup: "true"\ntasks: [write]');
  repository.worker('c', 'dependencies: [b]');
  repository.commitAll();
  const home = join(scratch, 'replaced');
  cpSync(installed, home, { recursive: true });
  const child = spawn(join(home, 'bin/czar'), ['run'], {
    cwd: repository.repo,
    env: repository.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const ended = once(child, 'close');

  const a = await repository.stubs.agent('a');
  for (const file of readdirSync(join(home, 'dist/cli')))
    writeFileSync(join(home, 'dist/cli', file), 'throw new Error("from the other version");\n');
  writeFileSync(join(home, 'package.json'), '{"version": "9.9.9", "type": "module"}');
  for (const folder of ['demo', 'schema', 'docs'])
    rmSync(join(home, folder), { recursive: true, force: true });
  await a.write('a.txt', 'a\n');
  await a.commit('a');
  a.exit();

  const b = await repository.stubs.agent('b');
  assert.equal((await repository.czar('cancel', 'c')).code, 0);
  await b.write('b.txt', 'left uncommitted\n');
  b.exit();
  const [code] = await ended;
  assert.equal(code, 1, said);
  const { workers } = await repository.json('status');
  assert.deepEqual(
    workers.map((worker: any) => worker.state),
    ['complete', 'complete', 'cancelled'],
    said,
  );
  assert.doesNotMatch(said, /other version|internal error/);
});

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  [command = '', ...args]: readonly string[],
  { cwd = scratch, more = {} }: { readonly cwd?: string; readonly more?: NodeJS.ProcessEnv } = {},
): Ran {
  return spawnSync(command, args, { cwd, env: { ...env, ...more }, encoding: 'utf8' });
}

function npm(cwd: string, ...args: readonly string[]): string {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier'];
  const { status, stdout, stderr } = run(['npm', ...args, ...quiet], { cwd });
  assert.equal(status, 0, stderr);
  return stdout;
}
