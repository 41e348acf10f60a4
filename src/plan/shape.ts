/** From a schema's complaints to problems with a place, in words for the person who wrote the file. */
import * as z from 'zod';
import { nearest } from './nearest.ts';
import { mostProblems, quoted, report, type Problems, type Range } from './diagnostics.ts';
import type { SourceFile } from './source.ts';
import type { Located, Path } from './yaml-source.ts';

/**
 * The fields that hold, with every problem of the others noted, so that one mistake does not hide the next; null when
 * the value has no fields at all. Of a list the elements that hold are kept. `under` is the path at which `located`
 * holds the value; every field of the schema is optional.
 */
export function decode<T extends z.ZodObject>(
  schema: T,
  from: { readonly source: SourceFile; readonly located: Located; readonly under: Path },
  problems: Problems,
): z.infer<T> | null {
  const { located, under, source } = from;
  const value = under.reduce<unknown>(member, located.value);
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  // More of one file than a person reads would only take time.
  for (const issue of result.error.issues.slice(0, mostProblems)) {
    for (const one of sharpen(issue).slice(0, mostProblems)) {
      const path = [...under, ...one.path];
      if (one.code === 'unrecognized_keys') {
        const known = keysAt(schema, one.path);
        for (const key of one.keys.slice(0, mostProblems)) {
          report(
            problems,
            { source, range: located.keyAt([...path, key]) },
            unknownKey(key, known),
          );
        }
        continue;
      }
      const range: Range = located.valueAt(path);
      report(problems, { source, range }, describe(one, path.at(-1)));
    }
  }
  const kept = schema.safeParse(validFields(schema, value));
  return kept.success && typeof value === 'object' && value !== null ? kept.data : null;
}

function validFields(schema: z.ZodObject, value: unknown): Readonly<Record<string, unknown>> {
  const fields = Object.entries(schema.shape).flatMap(([key, field]) => {
    const holds = (one: unknown): boolean => z.safeParse(field, one).success;
    const written = member(value, key);
    if (written === undefined) return [];
    if (holds(written)) return [[key, written] as const];
    if (!Array.isArray(written) || written.length > 1000) return [];
    const elements = written.filter((one: unknown) => holds([one]));
    return elements.length > 0 && holds(elements) ? [[key, elements] as const] : [];
  });
  return Object.fromEntries(fields);
}

/** The message for a key that is not known, with the nearest known one. */
export function unknownKey(
  key: string,
  known: readonly string[],
): { readonly message: string; readonly hint: string } {
  const near = nearest(key, known) ?? nearest(key.replaceAll('-', '_'), known);
  return {
    message: `unknown key ${quoted(key)}`,
    hint:
      near === null ? `known keys: ${known.join(', ')}` : `did you mean ${JSON.stringify(near)}?`,
  };
}

type Issue = z.core.$ZodIssue;

/** Of a union that no branch fits, the complaints of the branch that came furthest; else the union's own. */
function sharpen(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const reached = (branch: readonly Issue[]): number =>
    Math.max(
      0,
      ...branch.map((one) => one.path.length + (one.code === 'unrecognized_keys' ? 1 : 0)),
    );
  const kindFits = (branch: readonly Issue[]): boolean =>
    !branch.some(
      (one) =>
        one.path.length === 0 && (one.code === 'invalid_type' || one.code === 'invalid_value'),
    );
  const fitting = issue.errors.filter((branch) => branch.length > 0 && kindFits(branch));
  const best = fitting.sort((a, b) => reached(b) - reached(a))[0];
  if (best === undefined) return [issue];
  return best.flatMap((one) => sharpen({ ...one, path: [...issue.path, ...one.path] }));
}

function describe(
  issue: Issue,
  key: PropertyKey | undefined,
): { readonly message: string; readonly hint: string | null } {
  const name = typeof key === 'string' ? `${key}: ` : '';
  const found = kindOf(issue.input);
  if (issue.code === 'invalid_type') {
    if (issue.message.startsWith('expected '))
      return { message: `${name}${issue.message}, found ${found}`, hint: null };
    const wanted = kinds[issue.expected] ?? issue.expected;
    const scalar = typeof issue.input === 'number' || typeof issue.input === 'boolean';
    const hint =
      issue.expected === 'string' && scalar
        ? `put it in quotes: "${String(issue.input)}"`
        : issue.expected === 'number' || issue.expected === 'int'
          ? inDigits(issue.input)
          : null;
    return { message: `${name}expected ${wanted}, found ${found}`, hint };
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const near = typeof issue.input === 'string' ? nearest(issue.input, values) : null;
    return {
      message: `${name}expected ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}, found ${quote(issue.input)}`,
      hint: near === null ? null : `did you mean ${near}?`,
    };
  }
  if (issue.code === 'invalid_union') {
    const own = issue.message.startsWith('expected') ? issue.message : 'none of the accepted forms';
    return { message: `${name}${own}, found ${found}`, hint: null };
  }
  if (issue.code === 'invalid_key') {
    const inner = issue.issues[0]?.message ?? 'this key is not accepted';
    return { message: `${name}${inner}`, hint: null };
  }
  return { message: `${name}${issue.message}`, hint: null };
}

/** What a figure is written as when it is not as people write it: `100k`, `100_000`, `1.5M`. */
function inDigits(value: unknown): string | null {
  const [, figure = '', unit = ''] =
    typeof value === 'string' ? (/^([\d_,]+(?:\.\d+)?)\s*([km]?)$/i.exec(value) ?? []) : [];
  const factor = { '': 1, k: 1e3, m: 1e6 }[unit.toLowerCase()] ?? NaN;
  const number = figure === '' ? NaN : Number(figure.replaceAll(/[_,]/g, '')) * factor;
  return Number.isFinite(number) ? `write it in digits: ${number}` : null;
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
  record: 'keys with values',
};

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'number')
    return Number.isFinite(value) ? `the number ${value}` : 'no finite number';
  if (typeof value === 'boolean') return String(value);
  return 'keys with values';
}

function quote(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : kindOf(value);
}

/** A member of a value; undefined when it has none of that name of its own. */
export function member(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}

/** Keys that the object at a path of the schema knows. */
function keysAt(schema: z.core.$ZodType, path: Path): readonly string[] {
  if (schema instanceof z.ZodOptional) return keysAt(schema.unwrap(), path);
  if (schema instanceof z.ZodUnion) {
    return [...new Set(schema.options.flatMap((option) => keysAt(option, path)))];
  }
  const [step, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    if (step === undefined) return Object.keys(schema.shape);
    const next: unknown = Reflect.get(schema.shape, step);
    return next instanceof z.ZodType ? keysAt(next, rest) : [];
  }
  if (step === undefined) return [];
  if (schema instanceof z.ZodArray) return keysAt(schema.element, rest);
  if (schema instanceof z.ZodRecord) return keysAt(schema.valueType, rest);
  return [];
}
