/** Worlds of the core in which workers share resources: plans, and what happens to them, in a few words. */
import assert from 'node:assert/strict';
import type { Machine } from '../../src/core/events.ts';
import { waitingFor } from '../../src/core/schedule/grant.ts';
import type { Capacity, Plan, ResourceMode, ResourceRequest } from '../../src/core/plan.ts';
import type { RunState } from '../../src/core/state.ts';
import { waitingForWord } from '../../src/core/why.ts';
import { endOf, runId, type CoreWorld } from './core-world.ts';

/** Id of a run beside the world's own. */
export const secondRun = '20261121-2';

/** What there is of a resource. */
export function there(amount: number | null, rates: Partial<Capacity> = {}): Capacity {
  return { amount, requestsPerMinute: null, tokensPerMinute: null, ...rates };
}

/** A worker that asks for some of one resource. */
export function takes(name: string, amount = 1, mode: ResourceMode = 'share') {
  const request: ResourceRequest = { amount, mode };
  return { resources: { [name]: request } };
}

/** Effects until the agents of all that may start work. */
export function atWork(world: CoreWorld): void {
  for (;;) {
    const next = world.intents().find(({ kind }) => kind !== 'watch');
    if (next === undefined) return;
    world.perform(next);
  }
}

/** Starts a run beside the others. */
export function start(world: CoreWorld, run: string, plan: Plan): void {
  const base = { ref: 'main', commit: 'base', dirty: 0 };
  const integration = `czar/${run}-integration`;
  const asked = { run, plan, base, integration, target: 'main', scope: null };
  assert.ok(world.ask({ kind: 'start-run', ...asked }).ok);
}

/** The run of that id. */
export function runOf(world: CoreWorld, id: string): RunState {
  return world.state.runs.get(id) ?? assert.fail(id);
}

/** What a worker waits for, as `status` says it. */
export function waits(world: CoreWorld, worker: string, run = runId): string | null {
  const of = runOf(world, run);
  const state = of.workers.get(worker) ?? assert.fail(worker);
  return waitingForWord(waitingFor(world.state, of, state, world.now));
}

/** Workers with a live attempt, those of other runs with their run. */
export function live(world: CoreWorld): readonly string[] {
  return [...world.state.runs.values()].flatMap((run) =>
    [...run.workers.values()]
      .filter(({ state }) => state === 'starting' || state === 'active')
      .map(({ id }) => (run.id === runId ? id : `${run.id}/${id}`)),
  );
}

/** The agent of the worker ends, and all that follows. */
export function ends(world: CoreWorld, worker: string, code = 0): void {
  const watch = world.intent('watch', worker);
  assert.ok(watch?.kind === 'watch');
  world.send(endOf(watch, { how: 'exited', code }));
  atWork(world);
}

/** A machine with room for everything. */
export const machine: Machine = { cpu: 4, memory: 8e9, disk: 100e9, free: 50e9 };

/** The machine is looked at. */
export function look(world: CoreWorld, seen: Partial<Machine>): void {
  world.send({ kind: 'machine-observed', machine: { ...machine, ...seen } });
  atWork(world);
}
