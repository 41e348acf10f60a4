/** What there is of resources, who holds how much, and who waits for some. Pure: what the machine has is an argument. */
import { builtIn, isBuiltIn, reserveOf } from '../core/disk-space.ts';
import type { Machine } from '../core/events.ts';
import { waitingFor } from '../core/schedule/grant.ts';
import { compare } from '../core/graph.ts';
import { amountText, bytesText, lackText } from '../core/lack-text.ts';
import type { Capacity, Policies } from '../core/plan.ts';
import { heldOf, inUse, type InUse } from '../core/schedule/resources.ts';
import { restlessRuns } from '../core/restless.ts';
import { workersIn } from '../core/run-index.ts';
import { definitionOf, isRunLive, type RepositoryState, type RunState } from '../core/state.ts';
import { columns } from './cells.ts';
import { percent, thousands, timestamp } from './figures.ts';
import { lowDiskText } from './low-disk.ts';
import type { ResourcesDocument } from './resources-schema.ts';

type ResourceDocument = ResourcesDocument['resources'][number];

/** The resources as JSON: those of the live runs' plans, where none is live those of the files; and what is built in. */
export function resourcesDocument(options: {
  readonly state: RepositoryState;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly machine: Machine | null;
  /** What the plan files say. */
  readonly policies: Policies;
}): ResourcesDocument {
  const { state, now, machine } = options;
  const runs = restlessRuns(state).filter(isRunLive);
  const newest = runs.at(-1)?.plan.policies ?? options.policies;
  const all = runs.length === 0 ? [newest] : runs.map(({ plan }) => plan.policies);
  const declared = new Map(all.flatMap(({ resources = {} }) => Object.entries(resources)));
  const names = [
    ...builtIn,
    ...[...declared.keys()].filter((name) => !isBuiltIn(name)).toSorted(compare),
  ];
  const use = inUse(state, now);
  const reserve = machine === null ? 0 : reserveOf(newest, machine);
  return {
    v: 1,
    resources: names.map((name) => ({
      ...capacityFields(name, { declared: declared.get(name), machine, use }),
      held_by: use.holders
        .filter((one) => one.name === name)
        .map(({ run, worker, request }) => ({ run, worker, ...request })),
      waiting: runs.flatMap((run) => waitingIn(run, name, { state, now })),
    })),
    disk_space:
      machine === null ? null : { free: machine.free, reserve, enough: machine.free >= reserve },
  };
}

function capacityFields(
  name: string,
  from: {
    readonly declared: Capacity | undefined;
    readonly machine: Machine | null;
    readonly use: InUse;
  },
): Omit<ResourceDocument, 'held_by' | 'waiting'> {
  const { declared, machine, use } = from;
  const detected = isBuiltIn(name) && (declared?.amount ?? null) === null;
  const capacity = detected ? (machine?.[name] ?? null) : (declared?.amount ?? null);
  const inUseNow = heldOf(name, capacity, use.holders);
  const uses = use.uses.filter((one) => one.name === name);
  const rate = (limit: number | null | undefined, what: 'requests' | 'tokens') =>
    limit == null ? null : { limit, used: uses.reduce((sum, one) => sum + one[what], 0) };
  return {
    name,
    unit: name === 'memory' || name === 'disk' ? 'bytes' : 'pieces',
    capacity,
    source: detected ? 'detected' : 'declared',
    in_use: inUseNow,
    percent: percent(inUseNow, capacity),
    requests_per_minute: rate(declared?.requestsPerMinute, 'requests'),
    tokens_per_minute: rate(declared?.tokensPerMinute, 'tokens'),
  };
}

function waitingIn(
  run: RunState,
  name: string,
  { state, now }: { readonly state: RepositoryState; readonly now: number },
): ResourceDocument['waiting'] {
  return workersIn(run, 'ready').flatMap((worker) => {
    const waiting = waitingFor(state, run, worker, now);
    if (waiting?.kind !== 'resource' || waiting.name !== name) return [];
    const { resources = {} } = definitionOf(run, worker.id);
    const asked = Object.hasOwn(resources, name) ? resources[name] : undefined;
    const { lack } = waiting;
    return {
      run: run.id,
      worker: worker.id,
      amount: asked?.amount ?? 0,
      mode: asked?.mode ?? 'share',
      why: lackText(waiting, now),
      until: lack.kind === 'rate' ? timestamp(lack.until) : null,
    };
  });
}

/** The resources as a table, and the space on the disk below it. */
export function resourceLines(document: ResourcesDocument, width: number): readonly string[] {
  const space = document.disk_space;
  const users = document.resources.flatMap(({ held_by, waiting }) => [...held_by, ...waiting]);
  const isOneRun = new Set(users.map(({ run }) => run)).size < 2;
  const whoText = (who: readonly { readonly run: string; readonly worker: string }[]): string =>
    who.map(({ run, worker }) => (isOneRun ? worker : `${run}/${worker}`)).join(', ');
  return [
    ...columns(
      [
        ['', 'in use', 'of', 'last minute', 'held by', 'waiting'],
        ...document.resources.map((one) => [
          one.name,
          amountText(one.name, one.in_use),
          one.capacity === null ? '' : amountText(one.name, one.capacity),
          rateText(one),
          whoText(one.held_by),
          whoText(one.waiting),
        ]),
      ],
      { width, flex: 4 },
    ),
    ...(space === null
      ? []
      : [
          space.enough
            ? `disk space: ${bytesText(space.free)} free, reserve ${bytesText(space.reserve)}`
            : lowDiskText(space),
        ]),
  ].map((line) => line.trimEnd());
}

function rateText({ requests_per_minute: requests, tokens_per_minute: tokens }: ResourceDocument) {
  return [
    ...(requests === null ? [] : [`${requests.used}/${requests.limit} requests`]),
    ...(tokens === null ? [] : [`${thousands(tokens.used)}/${thousands(tokens.limit)} tokens`]),
  ].join(', ');
}
