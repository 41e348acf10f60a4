/**
 * Secrets, and texts without them: the values of variables that look like secrets, or that the configuration names, give
 * way to the variable's name, in whatever form they stand there. Pure.
 *
 * Always: what is put in the place of a value holds no quote and no backslash, so JSON stays JSON.
 */

export interface Secret {
  /** Of its variable. */
  readonly name: string;
  readonly value: string;
}

/** The text without secrets. */
export type Redact = (text: string) => string;

const secretName =
  /(?:^|[_:/-])(?:TOKEN|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|APIKEY|API_?KEY|ACCESS_?KEY|SECRET_?KEY|PRIVATE_?KEY|AUTH_?TOKEN|CREDENTIALS?|PAT|BEARER|WEBHOOK)(?:[_:/-]|$)|_KEY$|TOKEN(?:_BEDROCK)?$|PASSWORD$|SECRET$/i;

/** Shorter values say too little: they would be found everywhere. */
const shortest = 8;
const shortestNamed = 4;
/** Beginnings and ends of a value that count where a text is cut off. */
const shortestPart = 6;
/** Lines of this length may have been cut without a sign, characters. */
const longLine = 100_000;

/** The secrets of an environment: by the look of a name, of an address with a password, and by `named`. */
export function secretsIn(
  env: Readonly<Record<string, string | undefined>>,
  named: readonly string[] = [],
): readonly Secret[] {
  return Object.entries(env).flatMap(([name, value = '']): readonly Secret[] => {
    const wanted = named.includes(name);
    const least = wanted ? shortestNamed : shortest;
    const looks = wanted || (secretName.test(name) && !isPlace(value));
    const passwords = [...value.slice(0, 10_000).matchAll(/:\/\/[^\s/@:]*:([^\s/@]+)@/g)];
    const values = [
      ...(looks ? partsOf(value) : []),
      ...passwords.map(([, password = '']) => password),
    ];
    return values.filter((one) => one.length >= least).map((one) => ({ name, value: one }));
  });
}

/** A path, a number or a switch is no secret, whatever its variable is called. */
function isPlace(value: string): boolean {
  return /^(?:[~.]?\/|[A-Za-z]:\\)/.test(value) || /^(?:\d+|true|false|none)$/i.test(value);
}

/** Texts are read by lines: of a value of several lines each counts. */
function partsOf(value: string): readonly string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  const telling = lines.filter((line) => !line.startsWith('-----'));
  return lines.length === 1 ? telling : [value, ...telling];
}

/** Takes the values out of texts, also as JSON, in an address and in Base64, and what a cut leaves of one at an end. */
export function redactor(secrets: readonly Secret[]): Redact {
  const forms = new Map<string, string>();
  for (const { name, value } of secrets)
    for (const form of formsOf(value)) if (!forms.has(form)) forms.set(form, name);
  if (forms.size === 0) return (text) => text;
  const all = [...forms.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(all.map(asPattern).join('|'), 'g');
  const mark = (form: string): string => `[${forms.get(form) ?? 'secret'}]`;
  return (text) => {
    if (text.length < shortestNamed) return text;
    const whole = text.replace(pattern, mark);
    const cut = whole.startsWith('…') || whole.endsWith('…') || whole.length >= longLine;
    return cut ? withoutParts(whole, all, mark) : whole;
  };
}

/** The text as a pattern that means nothing else. */
function asPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** Everything that a value may stand as. */
export function formsOf(value: string): ReadonlySet<string> {
  return new Set([
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.toWellFormed()),
    Buffer.from(value).toString('base64'),
    Buffer.from(value).toString('base64url'),
  ]);
}

/** What is left of a value where a line was cut: its beginning at the end of the text, its end at the beginning. */
function withoutParts(
  text: string,
  forms: readonly string[],
  mark: (form: string) => string,
): string {
  const before = text.startsWith('…') ? '…' : '';
  const after = text.length > 1 && text.endsWith('…') ? '…' : '';
  let rest = text.slice(before.length, text.length - after.length);
  for (const form of forms) {
    const n = lengthOf(form, (part) => rest.endsWith(form.slice(0, part)));
    if (n > 0) rest = rest.slice(0, -n) + mark(form);
    const m = lengthOf(form, (part) => rest.startsWith(form.slice(-part)));
    if (m > 0) rest = mark(form) + rest.slice(m);
  }
  return before + rest + after;
}

/** The longest part of a value, not the whole, that is there; 0 for none that says anything. */
function lengthOf(form: string, isThere: (part: number) => boolean): number {
  for (let part = form.length - 1; part >= shortestPart; part -= 1) if (isThere(part)) return part;
  return 0;
}
