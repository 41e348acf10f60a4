import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'czar-launcher-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('the built czar answers --version from package.json', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { status, stdout } = run(join(root, 'bin/czar'), ['--version']);
  assert.deepEqual({ status, stdout }, { status: 0, stdout: `${version}\n` });
});

test('a clone runs on its own Node, also through links and by a relative path', () => {
  const home = install('clone');
  fakeNode(home, '24.0.0', 'own');
  symlinkSync('../clone/bin/czar', join(scratch, 'link-to-czar'));
  mkdirSync(join(scratch, 'elsewhere'));
  symlinkSync('clone/bin/czar', join(scratch, 'link'));
  symlinkSync('../link', join(scratch, 'elsewhere/czar'));
  symlinkSync(home, join(scratch, 'linked-folder'));

  for (const command of [
    join(home, 'bin/czar'),
    join(scratch, 'elsewhere/czar'),
    join(scratch, 'linked-folder/bin/czar'),
  ]) {
    assert.match(run(command, ['a b', '']).stdout, /^own .*dist\/cli\/main\.js\] \[a b\] \[\]\n$/);
  }
  assert.match(run('bin/czar', ['x'], { cwd: home }).stdout, /^own .*main\.js\] \[x\]\n$/);
  assert.match(run('sh', ['czar', 'x'], { cwd: join(home, 'bin') }).stdout, /^own .* \[x\]\n$/);
});

test('an installed czar runs on the Node installed beside it when that is new enough', () => {
  const home = install('project/node_modules/czar-orchestrator');
  const project = join(scratch, 'project');
  fakeNode(project, '24.3.1', 'beside');
  mkdirSync(join(project, 'node_modules/.bin'));
  symlinkSync('../czar-orchestrator/bin/czar', join(project, 'node_modules/.bin/czar'));
  assert.match(run(join(project, 'node_modules/.bin/czar'), ['x']).stdout, /^beside .* \[x\]\n$/);

  const path = pathWith('new-path', 'from-path');
  for (const old of ['4.9.1', '18.20.0', '20.19.2', '23.11.0']) {
    fakeNode(project, old, 'beside');
    assert.match(run(join(home, 'bin/czar'), [], { path }).stdout, /^from-path /, old);
  }
  fakeNode(project, '100.0.0', 'beside');
  assert.match(run(join(home, 'bin/czar'), [], { path }).stdout, /^beside /);
});

test('a Node in a folder further up is a stranger', () => {
  fakeNode(join(scratch, 'outer'), '24.0.0', 'stranger');
  const clone = install('outer/work/clone');
  const installed = install('outer/project/node_modules/czar-orchestrator');
  const path = pathWith('outer-path', 'from-path');
  for (const home of [clone, installed]) {
    assert.match(run(join(home, 'bin/czar'), ['x'], { path }).stdout, /^from-path --require /);
  }
});

test('a package of Node without its program is passed over', () => {
  const home = install('scripts-ignored');
  mkdirSync(join(home, 'node_modules/node/bin'), { recursive: true });
  const path = pathWith('ignored-path', 'from-path');
  assert.match(run(join(home, 'bin/czar'), [], { path }).stdout, /^from-path /);
});

test('with no Node at all, or before the build, one sentence says what to do', () => {
  const home = install('bare');
  const none = run(join(home, 'bin/czar'), [], { path: pathWith('no-node') });
  assert.deepEqual(
    [none.status, none.stderr],
    [1, 'czar needs Node 24 or newer; there is no node on PATH\n'],
  );
  rmSync(join(home, 'dist'), { recursive: true });
  const unbuilt = run(join(home, 'bin/czar'), []);
  assert.equal(unbuilt.status, 1);
  assert.match(unbuilt.stderr, /^czar is not built: run 'npm install' .*\n$/);
});

test('the check refuses a Node older than 24 with one sentence and lets this one pass', () => {
  const check = join(root, 'bin/node-version-check.cjs');
  const pretend = join(scratch, 'pretend.cjs');
  writeFileSync(
    pretend,
    `Object.defineProperty(process, 'version', { value: 'v18.1.0' });
     Object.defineProperty(process, 'versions', { value: { node: '18.1.0' } });`,
  );
  const old = run(process.execPath, ['-r', pretend, '-r', check, '-e', 'console.log("ran")']);
  assert.deepEqual(
    [old.status, old.stdout, old.stderr],
    [1, '', `czar needs Node 24 or newer; this is v18.1.0 (${process.execPath})\n`],
  );
  assert.equal(run(process.execPath, ['-r', check, '-e', 'console.log("ran")']).stdout, 'ran\n');
});

/** A package as npm lays it out, with a main that never runs: the Nodes of these tests only talk. */
function install(path: string): string {
  const home = join(scratch, path);
  cpSync(join(root, 'bin'), join(home, 'bin'), { recursive: true });
  mkdirSync(join(home, 'dist/cli'), { recursive: true });
  writeFileSync(join(home, 'dist/cli/main.js'), '');
  return home;
}

/** Puts npm's `node` package into a folder, with a program that prints its name and arguments. */
function fakeNode(home: string, version: string, name: string): void {
  const folder = join(home, 'node_modules/node');
  writeProgram(join(folder, 'bin/node'), name);
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'node', version, bin: { node: 'bin/node' } }, undefined, 2),
  );
}

/** A PATH of one folder with what the launcher needs, and a `node` when it is given a name. */
function pathWith(folder: string, node?: string): string {
  const bin = join(scratch, folder);
  mkdirSync(bin);
  for (const tool of ['sh', 'readlink']) {
    const at = ['/bin', '/usr/bin'].map((dir) => join(dir, tool)).find((file) => existsSync(file));
    if (at !== undefined) symlinkSync(at, join(bin, tool));
  }
  if (node !== undefined) writeProgram(join(bin, 'node'), node);
  return bin;
}

function writeProgram(file: string, name: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const script = `#!/bin/sh\nprintf '${name}'\nprintf ' %s' "$1"\nshift\nfor a do printf ' [%s]' "$a"; done\necho\n`;
  writeFileSync(file, script);
  chmodSync(file, 0o755);
}

type RunOptions = { readonly cwd?: string; readonly path?: string };

function run(command: string, args: readonly string[], options: RunOptions = {}) {
  const { cwd = scratch, path = process.env['PATH'] } = options;
  return spawnSync(command, args, { cwd, env: { PATH: path }, encoding: 'utf8' });
}
