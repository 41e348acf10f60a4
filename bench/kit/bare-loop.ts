/**
 * The floor: a scheduler of a few lines that keeps nothing. `node bare-loop.ts GRAPH SLOTS [FOLDER]` reads the tasks as
 * JSON and runs `true` for each, after those it depends on, at most SLOTS at a time. With FOLDER it makes for each what an
 * attempt finds and leaves: four folders and eight files.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Task } from './layered.ts';

const [file = '', slots = '8', folder] = process.argv.slice(2);
const tasks: readonly Task[] = JSON.parse(readFileSync(file, 'utf8'));
const open = new Map(tasks.map(({ id, after }) => [id, after.length]));
const dependents = new Map<string, string[]>();
for (const { id, after } of tasks) {
  for (const one of after) dependents.set(one, [...(dependents.get(one) ?? []), id]);
}
const ready = tasks.filter(({ after }) => after.length === 0).map(({ id }) => id);
let running = 0;

function fill(): void {
  for (; running < Number(slots); running += 1) {
    const id = ready.shift();
    if (id === undefined) return;
    if (folder === undefined) {
      spawn('/bin/true', [], { stdio: 'ignore' }).once('exit', () => ended(id));
      continue;
    }
    const { dir, stdio } = attempt(folder, id);
    const child = spawn('/bin/true', [], { stdio: ['ignore', ...stdio] });
    for (const one of stdio) closeSync(one);
    child.once('exit', (code) => {
      writeFileSync(join(dir, 'status'), `exit ${code}\n`);
      ended(id);
    });
  }
}

/** Makes what an attempt finds; its output goes to two files. */
function attempt(
  place: string,
  id: string,
): { readonly dir: string; readonly stdio: readonly [number, number] } {
  const tree = join(place, 'trees', id);
  const dir = join(place, 'runs', id, '1');
  mkdirSync(tree, { recursive: true });
  mkdirSync(join(dir, 'tmp'), { recursive: true });
  writeFileSync(join(tree, 'IDENTITY.md'), text(2_000));
  for (const [name, size] of [
    ['prompt.md', 2_000],
    ['permissions.json', 500],
    ['dependencies.json', 300],
    ['start', 1_000],
  ] as const)
    writeFileSync(join(dir, name), text(size));
  return { dir, stdio: [openSync(join(dir, 'output'), 'a'), openSync(join(dir, 'errors'), 'a')] };
}

function text(size: number): string {
  return 'x'.repeat(size);
}

function ended(id: string): void {
  running -= 1;
  for (const dependent of dependents.get(id) ?? []) {
    const left = (open.get(dependent) ?? 0) - 1;
    open.set(dependent, left);
    if (left === 0) ready.push(dependent);
  }
  fill();
}

fill();
