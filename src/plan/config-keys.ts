/**
 * The keys of the configuration, read off its schema: what each means, and which environment variable sets it. Only
 * keys with fixed names have a variable; what stands under a name of the user's choice is set with its whole map.
 */
import * as z from 'zod';
import { configSchema } from './config-schema.ts';

/** A key as a path, such as `['retry', 'max_attempts']`. */
export type KeyPath = readonly string[];

export interface ConfigKey {
  readonly path: KeyPath;
  /** What it means, one sentence; empty when the schema does not say. */
  readonly meaning: string;
  /** Variable that sets it. */
  readonly variable: string;
  /** Whether it has keys of its own below it, with fixed names. */
  readonly group: boolean;
  readonly schema: z.core.$ZodType;
}

/** Variables that czar gives meaning to besides; no key may be set by one of them. */
export const ownVariables: readonly string[] = [
  'CZAR_ENV',
  'CZAR_EVENT',
  'CZAR_RUN',
  'CZAR_WORKER',
  'CZAR_ATTEMPT',
  'CZAR_ATTEMPT_KEY',
  'CZAR_PROMPT_FILE',
  'CZAR_REPORT_FILE',
  'CZAR_SHELL',
  'CZAR_METER_TOKEN',
  'CZAR_PORT',
  'CZAR_PORT_BASE',
  'CZAR_CRASH_AT',
  'CZAR_AWAITS_BEGINNING',
  'CZAR_REVIEW_KEY',
];

/** Every key with a fixed name, groups before what is in them. */
export const configKeys: readonly ConfigKey[] = keysBelow(configSchema, []);

/** The key at a path, also below names of the user's choice; null when there is none. */
export function keyAt(path: KeyPath): Pick<ConfigKey, 'meaning' | 'schema'> | null {
  let schema: z.core.$ZodType = configSchema;
  let meaning = '';
  for (const step of path) {
    const inner = unwrapped(schema);
    let next: unknown;
    if (inner instanceof z.ZodObject)
      next = Object.hasOwn(inner.shape, step) ? inner.shape[step] : undefined;
    else if (inner instanceof z.ZodRecord) next = inner.valueType;
    if (!(next instanceof z.ZodType)) return null;
    meaning = meaningOf(next);
    schema = next;
  }
  return path.length === 0 ? null : { meaning, schema };
}

/** A path as a person writes it: steps with a dot between, in quotes where one holds something else. */
export function keyText(path: KeyPath): string {
  return path.map((step) => (/^[\w-]+$/.test(step) ? step : JSON.stringify(step))).join('.');
}

/** The path that a person wrote; null when it is none. */
export function keyPath(text: string): KeyPath | null {
  const steps: string[] = [];
  const step = /(?:"((?:[^"\\]|\\.)*)"|([^".=\s]+))(\.|$)/y;
  for (;;) {
    const match = step.exec(text);
    if (match === null) return null;
    const [, quoted, bare = '', end] = match;
    steps.push(quoted === undefined ? bare : quoted.replace(/\\(.)/g, '$1'));
    if (end === '') return step.lastIndex === 0 || step.lastIndex === text.length ? steps : null;
  }
}

function keysBelow(schema: z.core.$ZodType, above: KeyPath): readonly ConfigKey[] {
  const inner = unwrapped(schema);
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries(inner.shape).flatMap(([name, field]): readonly ConfigKey[] => {
    if (!(field instanceof z.ZodType)) return [];
    const path = [...above, name];
    const below = keysBelow(field, path);
    const key: ConfigKey = {
      path,
      meaning: meaningOf(field),
      variable: `CZAR_${path.join('_').toUpperCase()}`,
      group: below.length > 0,
      schema: field,
    };
    return [key, ...below];
  });
}

function meaningOf(schema: z.ZodType): string {
  const own = schema.meta()?.description;
  if (own !== undefined) return own;
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : null;
  return inner instanceof z.ZodType ? (inner.meta()?.description ?? '') : '';
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional ? schema.unwrap() : schema;
}
