/**
 * Secrets that can be found in a text by who no longer has them: of each form of a value its length, a sum that rolls
 * over a text, and a salted digest that settles what the sum found. Pure.
 *
 * A value cannot be read off them. Whoever can try values against a digest has them anyway: they lie beside the output
 * that they are for.
 */
import { createHmac } from 'node:crypto';
import { formsOf, type Redact, type Secret } from './redact.ts';

export interface Fingerprints {
  readonly salt: string;
  readonly forms: readonly Fingerprint[];
}

interface Fingerprint {
  /** Of its variable. */
  readonly name: string;
  /** Code units. */
  readonly length: number;
  readonly sum: number;
  readonly digest: string;
}

/** Fingerprints of all forms of the secrets. */
export function fingerprintsOf(secrets: readonly Secret[], salt: string): Fingerprints {
  const forms = secrets.flatMap(({ name, value }) =>
    [...formsOf(value)].map((form) => ({
      name,
      length: form.length,
      sum: sumOf(form, form.length),
      digest: digestOf(salt, form),
    })),
  );
  const byDigest = new Map(forms.map((form) => [form.digest, form] as const));
  return { salt, forms: [...byDigest.values()] };
}

/** What was written of them; null when it is something else. */
export function fingerprintsIn(text: string): Fingerprints | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value) || typeof value['salt'] !== 'string' || !Array.isArray(value['forms']))
    return null;
  const forms = value['forms'].flatMap((form: unknown): readonly Fingerprint[] => {
    if (!isObject(form)) return [];
    const { name, length, sum, digest } = form;
    const fits =
      typeof name === 'string' &&
      typeof length === 'number' &&
      typeof sum === 'number' &&
      typeof digest === 'string';
    return fits && length > 0 ? [{ name, length, sum, digest }] : [];
  });
  return { salt: value['salt'], forms };
}

/** Takes out of texts what these fingerprints are of, but for those of `known`, which are found otherwise. */
export function redactorByFingerprints(
  { salt, forms }: Fingerprints,
  known: readonly Secret[],
): Redact {
  const have = new Set(fingerprintsOf(known, salt).forms.map(({ digest }) => digest));
  const left = forms.filter(({ digest }) => !have.has(digest));
  const byLength = Map.groupBy(left, ({ length }) => length);
  // The longest first: a shorter one may be a part of it.
  const lengths = [...byLength.keys()].sort((a, b) => b - a);
  return (text) =>
    lengths.reduce((rest, length) => without(rest, length, byLength.get(length) ?? [], salt), text);
}

/** The text without what is of this length and has one of these fingerprints. */
function without(
  text: string,
  length: number,
  forms: readonly Fingerprint[],
  salt: string,
): string {
  if (text.length < length) return text;
  const sums = new Set(forms.map(({ sum }) => sum));
  const highest = power(length - 1);
  let sum = sumOf(text, length);
  let made = '';
  let from = 0;
  for (let at = 0; ; at += 1) {
    if (at >= from && sums.has(sum)) {
      const digest = digestOf(salt, text.slice(at, at + length));
      const found = forms.find((form) => form.digest === digest);
      if (found !== undefined) {
        made += `${text.slice(from, at)}[${found.name}]`;
        from = at + length;
      }
    }
    if (at + length >= text.length) break;
    const gone = Math.imul(text.charCodeAt(at), highest);
    sum = (Math.imul(sum - gone, base) + text.charCodeAt(at + length)) | 0;
  }
  return made + text.slice(from);
}

/** A polynomial over 32 bits (Rabin and Karp). */
const base = 16_777_619;

function sumOf(text: string, length: number): number {
  let sum = 0;
  for (let at = 0; at < length; at += 1) sum = (Math.imul(sum, base) + text.charCodeAt(at)) | 0;
  return sum;
}

function power(exponent: number): number {
  let product = 1;
  for (let n = 0; n < exponent; n += 1) product = Math.imul(product, base);
  return product;
}

function digestOf(salt: string, text: string): string {
  return createHmac('sha256', salt).update(text, 'utf16le').digest('base64');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
