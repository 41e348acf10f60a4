/** Resources, as workers ask for them and the configuration declares them. */
import * as z from 'zod';
import { builtIn, isBuiltIn } from '../core/disk-space.ts';
import { amountText } from '../core/lack-text.ts';
import { compare } from '../core/graph.ts';
import type { Machine } from '../core/events.ts';
import type { Capacity, ResourceRequest, WorkerDefinition } from '../core/plan.ts';
import { requestsOf } from '../core/schedule/rates.ts';
import { report, type Problems } from './diagnostics.ts';
import type { WorkerDraft } from './draft.ts';
import { amount, count, parseSize, sizeOr } from './fields.ts';
import { nearest } from './nearest.ts';

const name = z
  .string()
  .regex(
    /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
    'the name of a resource is lower-case letters and digits with . _ or - between',
  )
  .max(64, 'more than 64 characters');

/** Pieces; of memory and disk a size. */
const howMuchText = 'expected an amount such as 2, or a size such as 4GB';
const howMuch = z.union([amount(1e12), sizeOr(howMuchText)], { error: () => howMuchText });

const request = z.union([
  howMuch,
  z.strictObject({
    amount: howMuch.optional().meta({ description: 'Default: 1; 0 for a reader.' }),
    mode: z.enum(['read', 'write', 'exclusive']).optional().meta({
      description:
        'read: beside other readers; write: beside no reader or writer; exclusive: alone. Default: its amount, beside others.',
    }),
  }),
]);

const capacity = z.union([
  howMuch,
  z.strictObject({
    amount: howMuch.optional().meta({ description: 'What there is of it at the same time.' }),
    requests_per_minute: count(1, 1e9)
      .optional()
      .meta({ description: 'Starts in a minute, each counted as the amount that it asks for.' }),
    tokens_per_minute: count(1, 1e12)
      .optional()
      .meta({ description: 'Tokens of its users in a minute, after which no other one starts.' }),
  }),
]);

export const requestsSchema = z.record(name, request).superRefine(sizesWhereBytes);
export const capacitiesSchema = z.record(name, capacity).superRefine(sizesWhereBytes);

/** Memory and disk are sizes, since a bare number would be bytes; nothing else is. */
function sizesWhereBytes(
  written: Readonly<
    Record<string, number | string | { readonly amount?: number | string | undefined }>
  >,
  context: z.RefinementCtx,
): void {
  for (const [key, one] of Object.entries(written)) {
    const [value, path] = typeof one === 'object' ? [one.amount, [key, 'amount']] : [one, [key]];
    const isSize = key === 'memory' || key === 'disk';
    if (value === undefined || isSize === (typeof value === 'string')) continue;
    // What is neither is told of already.
    if (typeof value === 'string' && parseSize(value) === null) continue;
    const message = isSize ? 'expected a size such as 4GB' : 'expected a number';
    context.addIssue({ code: 'custom', message, path, input: value });
  }
}

type Written<S extends z.ZodType> = z.infer<S> | undefined;

/** What a worker asks for, by name in order; absent when that is nothing. */
export function resourcesOf(
  written: Written<typeof requestsSchema>,
): Pick<WorkerDefinition, 'resources'> {
  const requests = inOrder(written ?? {}).map(([key, one]): [string, ResourceRequest] => {
    const fields = typeof one === 'object' ? one : { amount: one };
    const otherwise = fields.mode === 'read' ? 0 : 1;
    return [key, { amount: number(fields.amount) ?? otherwise, mode: fields.mode ?? 'share' }];
  });
  return requests.length === 0 ? {} : { resources: Object.fromEntries(requests) };
}

/** What there is, by name in order; null when nothing is declared. */
export function capacitiesOf(
  written: Written<typeof capacitiesSchema>,
): Readonly<Record<string, Capacity>> | null {
  const capacities = inOrder(written ?? {}).map(([key, one]): [string, Capacity] => {
    const fields = typeof one === 'object' ? one : { amount: one };
    return [
      key,
      {
        amount: number(fields.amount),
        requestsPerMinute: fields.requests_per_minute ?? null,
        tokensPerMinute: fields.tokens_per_minute ?? null,
      },
    ];
  });
  return capacities.length === 0 ? null : Object.fromEntries(capacities);
}

/** What a worker asks for must be there: else it would wait for ever. */
export function checkRequests(
  { draft, definition }: { readonly draft: WorkerDraft; readonly definition: WorkerDefinition },
  {
    capacities,
    machine,
  }: { readonly capacities: Capacities; readonly machine: () => Machine | null },
  problems: Problems,
): void {
  for (const [key, one] of Object.entries(definition.resources ?? {})) {
    const at = draft.valueAt('resources', key);
    const there = capacityOf(key, capacities, machine);
    if (there === null) {
      const near = nearest(key, [...Object.keys(capacities), ...builtIn]);
      report(problems, at, {
        message: `resources: "${draft.id}" asks for ${key}, and there is no resource of that name`,
        hint:
          near === null
            ? `declare it in config.yaml: resources: {${key}: 1}`
            : `did you mean ${near}?`,
      });
      continue;
    }
    const { amount: most, requestsPerMinute } = there;
    if (most !== null && one.amount > most) {
      report(problems, at, {
        message: `resources: "${draft.id}" asks for ${amountText(key, one.amount)} of ${key}, and there are ${amountText(key, most)}`,
        hint: `ask for less, or say in config.yaml what there is: resources: {${key}: …}`,
      });
    }
    if (requestsPerMinute !== null && requestsOf(one) > requestsPerMinute) {
      report(problems, at, {
        message: `resources: "${draft.id}" starts with ${requestsOf(one)} requests of ${key}, and a minute has ${requestsPerMinute}`,
        hint: 'ask for less, or raise requests_per_minute',
      });
    }
  }
}

type Capacities = Readonly<Record<string, Capacity>>;

/** What there is of a resource; null when nobody says so. */
function capacityOf(
  key: string,
  capacities: Capacities,
  machine: () => Machine | null,
): Capacity | null {
  const declared = Object.hasOwn(capacities, key) ? (capacities[key] ?? null) : null;
  if (!isBuiltIn(key) || (declared !== null && declared.amount !== null)) return declared;
  const rates = declared ?? { requestsPerMinute: null, tokensPerMinute: null };
  return { ...rates, amount: machine()?.[key] ?? null };
}

function number(value: number | string | undefined): number | null {
  return typeof value === 'string' ? parseSize(value) : (value ?? null);
}

function inOrder<T>(record: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  return Object.entries(record).toSorted(([a], [b]) => compare(a, b));
}
