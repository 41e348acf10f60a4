/**
 * The building blocks of the file formats: what an id, a branch, a path, a duration, a list of texts is. Each says in
 * its message what it expects; a range or format stands in one place for worker files and configuration alike.
 */
/* oxlint-disable no-control-regex -- control characters are what these patterns refuse */
import * as z from 'zod';
import { durationPattern, parseDuration } from './duration.ts';
import { globProblem, pathProblem } from './globs.ts';

const durationText = 'expected a duration such as 30s, 10m or 1h30m';
const idPattern = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** Why a text is no worker id, or null. */
export function idProblem(text: string): string | null {
  if (text === 'all') return 'the id "all" is reserved: it means every worker';
  if (text.length > 64) return 'an id of more than 64 characters';
  if (!idPattern.test(text)) {
    return `the id ${JSON.stringify(text.slice(0, 64))} must be lower-case letters and digits, with single . _ or - between them`;
  }
  if (text.endsWith('.lock')) return 'an id must not end in .lock, which git keeps for itself';
  return null;
}

/**
 * Why a text is no name for a worker's branch, or null. What a shell would act on is refused although git takes it: such
 * names end in people's scripts.
 */
export function workBranchProblem(text: string): string | null {
  if (/[$`;|&<>()"']/.test(text))
    return 'the branch of a worker must not hold any of $ ` ; | & < > ( ) " \'';
  return branchProblem(text);
}

/** Why a text is no branch name that czar may make, or null. */
export function branchProblem(text: string): string | null {
  if (text.length > 200) return 'a branch name of more than 200 characters';
  if (/[\u0000-\u0020\u007f~^:?*[\\]/.test(text)) {
    return 'a branch name must not hold blanks, control characters or any of ~ ^ : ? * [ \\';
  }
  if (/[\p{C}\p{Z}]/u.test(text)) return 'a branch name must not hold invisible characters';
  if (text.startsWith('-')) return 'a branch name must not begin with -';
  if (text.includes('..') || text.includes('@{')) return 'a branch name must not hold .. or @{';
  const bad = text
    .split('/')
    .find((part) => part === '' || part.startsWith('.') || part.endsWith('.lock'));
  if (text.split('/').some((part) => Buffer.byteLength(part) > 200))
    return 'a part of a branch name of more than 200 bytes';
  if (bad !== undefined || text.endsWith('.')) {
    return 'a part of a branch name must not be empty, begin with ., or end in . or .lock';
  }
  if (text === 'HEAD' || text === '@' || text.startsWith('refs/'))
    return `${text} is no branch name`;
  if (text === 'czar') return 'a branch named czar would be in the way of czar/<run>/<worker>';
  return null;
}

/** A text with no control characters but line breaks and tabs. */
export const text = z
  .string()
  .max(100_000, 'a text of more than 100000 characters')
  .regex(
    /^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$/,
    'a text must not hold control characters',
  )
  .refine(
    (value) => value.isWellFormed(),
    'a text must not hold half a character (a lone surrogate)',
  );

/** A text on one line. */
export const line = text
  .regex(/^[^\r\n]*$/, 'this must be one line')
  .max(1000, 'more than 1000 characters');

/** A shell command. */
export const shell = text
  .regex(/\S/, 'an empty command')
  .max(10_000, 'a command of more than 10000 characters');

/** A list, or one element written without a list. */
export function listOf<T extends z.ZodType>(element: T, what: string) {
  return z.union([element, z.array(element).max(1000, 'more than 1000 entries')], {
    error: (issue) =>
      issue.code === 'invalid_union' ? `expected ${what} or a list of them` : undefined,
  });
}

/** A span of time such as `1h30m`, or 0, which needs no unit. */
export const duration = z.union(
  [
    z
      .string()
      .superRefine((value, context) => addProblem(context, durationProblem(value)))
      .meta({ pattern: durationPattern.source }),
    z.literal(0).transform(() => '0s'),
  ],
  { error: (issue) => (issue.code === 'invalid_union' ? durationText : undefined) },
);

/** A span of time that is not zero. */
export const positiveDuration = z
  .string(durationText)
  .superRefine((value, context) => {
    const zero = parseDuration(value) === 0 ? 'a duration must not be zero here' : null;
    addProblem(context, durationProblem(value) ?? zero);
  })
  .meta({ pattern: durationPattern.source });

function durationProblem(value: string): string | null {
  if (parseDuration(value) !== null) return null;
  return durationPattern.test(value) ? 'a duration of more than a year' : durationText;
}

/** A size such as `10MB`. */
export const size = sizeOr('expected a size such as 500KB or 10MB');

/** A size, with another message where it is none. */
export function sizeOr(message: string) {
  return z.string(message).regex(/^\d{1,12} ?(?:B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$/, message);
}

/** Bytes of a size, or null when the text is none. */
export function parseSize(value: string): number | null {
  const match = /^(\d{1,12}) ?(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$/.exec(value);
  if (match === null) return null;
  const bytes = Number(match[1]) * (sizes[match[2] ?? ''] ?? 0);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Of thousands of workers most lists are empty: they are one. */
export const none: readonly never[] = [];

/** A list from one element or a list or nothing. */
export function list<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return none;
  return isList(value) ? value : [value];
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

/** A worker id. */
export const id = z
  .string()
  .min(1, 'an empty id')
  .superRefine((value, context) => addProblem(context, value === '' ? null : idProblem(value)))
  .meta({ pattern: idPattern.source, maxLength: 64 });

/** The name of a worker's branch. */
export const workBranch = z
  .string()
  .min(1, 'an empty branch name')
  .superRefine((value, context) =>
    addProblem(context, value === '' ? null : workBranchProblem(value)),
  );

/** A branch name. */
export const branch = z
  .string()
  .min(1, 'an empty branch name')
  .superRefine((value, context) => addProblem(context, value === '' ? null : branchProblem(value)));

/** A path inside the repository. */
export const path = z
  .string()
  .superRefine((value, context) => addProblem(context, pathProblem(value)));

/** A path inside the repository that is no pattern. */
export const onePath = path.regex(/^[^*?]*$/, 'one path is expected here, not a pattern');

/** A glob over paths inside the repository. */
export const glob = z
  .string()
  .superRefine((value, context) => addProblem(context, globProblem(value)));

/** A whole number from `min` to `max`. */
export function count(min: number, max: number) {
  const message = `expected a whole number from ${min} to ${max}`;
  return z.number().int(message).min(min, message).max(max, message);
}

/** An amount that is finite and not negative. */
export function amount(max: number) {
  return z
    .number()
    .min(0, 'expected a number that is not negative')
    .max(max, `expected at most ${max}`);
}

const sizes: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

function addProblem(context: z.RefinementCtx, problem: string | null): void {
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
}
