/**
 * The floor: a scheduler of a few lines that keeps nothing. `node bare-loop.ts GRAPH SLOTS` reads the tasks as JSON and
 * runs `true` for each, after those it depends on, at most SLOTS at a time.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Task } from './layered.ts';

const [file = '', slots = '8'] = process.argv.slice(2);
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
    spawn('/bin/true', [], { stdio: 'ignore' }).once('exit', () => ended(id));
  }
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
