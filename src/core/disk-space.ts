/**
 * What of the machine is told to the runs, and the space below which nothing starts. The disk is looked at before each
 * turn; an event follows only when that makes a difference, so that the log stays quiet.
 */
import type { Machine, NewEvent } from './events.ts';
import type { Plan, WorkerDefinition } from './plan.ts';
import { restlessRuns } from './restless.ts';
import {
  definitionOf,
  isRunLive,
  type RepositoryState,
  type RunState,
  type WorkerState,
} from './state.ts';

/** What a machine has without being told. */
export const builtIn = ['cpu', 'memory', 'disk'] as const;

export type BuiltIn = (typeof builtIn)[number];

/** Whether every machine has the resource. */
export function isBuiltIn(name: string): name is BuiltIn {
  return name === 'cpu' || name === 'memory' || name === 'disk';
}

/** How often the disk is looked at while somebody waits for space, milliseconds. */
export const lookAgainMs = 5_000;

const defaultReserveBytes = 1_000_000_000;

/** Free space below which nothing starts, bytes. */
export function reserveOf(
  { diskReserveBytes }: { readonly diskReserveBytes?: number | undefined },
  { disk }: Pick<Machine, 'disk'>,
): number {
  return diskReserveBytes ?? Math.min(defaultReserveBytes, Math.floor(disk / 10));
}

/** What keeps the worker from starting for want of space: what is free, and what must be; null when nothing does. */
export function spaceLack(
  run: RunState,
  worker: WorkerState,
): { readonly free: number; readonly need: number } | null {
  const { machine } = run;
  if (machine === null) return null;
  const need = reserveOf(run.plan.policies, machine) + spaceOf(definitionOf(run, worker.id));
  return machine.free < need ? { free: machine.free, need } : null;
}

/** Space below the reserve, as it was told last; null when there is enough. */
export function lowDisk({
  plan,
  machine,
}: RunState): { readonly free: number; readonly reserve: number } | null {
  if (machine === null) return null;
  const reserve = reserveOf(plan.policies, machine);
  return machine.free < reserve ? { free: machine.free, reserve } : null;
}

/** What is told to the live runs of a machine that was looked at. */
export function machineObserved(state: RepositoryState, seen: Machine): readonly NewEvent[] {
  return restlessRuns(state).flatMap((run): readonly NewEvent[] => {
    if (!isRunLive(run) || !isNews(run, seen)) return [];
    const observed: NewEvent = { type: 'machine.observed', run: run.id, data: seen };
    const low = lowDisk({ ...run, machine: seen });
    if (low === null || lowDisk(run) !== null) return [observed];
    return [observed, { type: 'disk.low', run: run.id, data: low }];
  });
}

function isNews({ plan, machine }: RunState, seen: Machine): boolean {
  const same = (['cpu', 'memory', 'disk'] as const).every((name) => machine?.[name] === seen[name]);
  if (!same && needsOf(plan).detected) return true;
  const reserve = reserveOf(plan.policies, seen);
  return [0, ...needsOf(plan).spaces].some((more) => {
    const line = reserve + more;
    const before = machine === null || machine.free >= line;
    // On the way up a little more is asked for, so that it does not go to and fro; never more than the disk can have.
    const margin = Math.min(line / 20, Math.max(0, seen.disk - line) / 2);
    return before !== seen.free >= (before ? line : line + margin);
  });
}

interface Needs {
  /** Whether something of the machine counts that is not declared. */
  readonly detected: boolean;
  /** What workers want of the disk, each amount once. */
  readonly spaces: readonly number[];
}

const known = new WeakMap<Plan, Needs>();

function needsOf(plan: Plan): Needs {
  const found = known.get(plan);
  if (found !== undefined) return found;
  const { resources = {} } = plan.policies;
  const asked = new Set(plan.workers.flatMap((one) => Object.keys(one.resources ?? {})));
  const isDeclared = (name: string): boolean =>
    Object.hasOwn(resources, name) && resources[name]?.amount != null;
  const needs = {
    detected: builtIn.some((name) => asked.has(name) && !isDeclared(name)),
    spaces: [...new Set(plan.workers.map(spaceOf))].filter((space) => space > 0),
  };
  known.set(plan, needs);
  return needs;
}

function spaceOf({ resources = {} }: WorkerDefinition): number {
  return Object.hasOwn(resources, 'disk') ? (resources['disk']?.amount ?? 0) : 0;
}
