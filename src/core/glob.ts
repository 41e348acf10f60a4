/**
 * Globs over paths of a git tree: `*` (within a segment), `**` (any number of segments), `?`, `[…]` and `{a,b}`; every
 * other character means itself, so that names with parentheses can be written. Brackets may be those of a name as well:
 * `app/[id]/**` is the folder of a route, as web frameworks name them, beside `app/i` and `app/d`. Dot files are no
 * exception.
 *
 * Matching takes time in proportion to path times pattern, whatever either of them is: patterns come from plans, paths
 * from agents, and a regular expression of a few stars can take longer than anyone waits.
 */

/** One character of a segment, or a star. */
type Unit =
  | { readonly kind: 'one'; readonly fits: (character: string) => boolean }
  | { readonly kind: 'star' };

/** A segment between slashes: `**`, or units; with brackets once as sets of characters, once as they are written. */
type Segment = '**' | readonly (readonly Unit[])[];

/** A pattern that was understood: its readings, one for each choice of its braces. */
export interface Glob {
  readonly readings: readonly (readonly Segment[])[];
}

/** Most readings that the braces of a pattern may give. */
const mostReadings = 256;

/** The glob of a pattern, or why it is none, as the end of a sentence. */
export function parseGlob(pattern: string): Glob | { readonly problem: string } {
  const expanded = expandBraces(pattern);
  if ('problem' in expanded) return expanded;
  const readings: (readonly Segment[])[] = [];
  for (const reading of expanded.readings) {
    const segments: Segment[] = [];
    for (const text of reading.split('/')) {
      const segment = parseSegment(text);
      if ('problem' in segment) return segment;
      segments.push(segment.segment);
    }
    readings.push(segments);
  }
  return { readings };
}

/** Whether a text has characters that are special in a glob. */
export function isGlob(text: string): boolean {
  return /[*?[\]{}]/.test(text);
}

/** Whether the path (relative, `/`-separated, no empty segments) is one that the glob means. */
export function matchesGlob(glob: Glob, path: string): boolean {
  const segments = path.split('/');
  return glob.readings.some((reading) => matchesReading(reading, segments));
}

function matchesReading(pattern: readonly Segment[], path: readonly string[]): boolean {
  // Which parts of the pattern the path so far may have reached; a `**` may also stand for nothing.
  let reached = new Uint8Array(pattern.length + 1);
  const reach = (into: Uint8Array, at: number): void => {
    for (let n = at; into[n] === 0; n += 1) {
      into[n] = 1;
      if (pattern[n] !== '**') return;
    }
  };
  reach(reached, 0);
  for (const text of path) {
    const next = new Uint8Array(pattern.length + 1);
    let any = false;
    for (const [at, segment] of pattern.entries()) {
      if (reached[at] === 0) continue;
      if (segment === '**') reach(next, at);
      else if (segment.some((units) => matchesUnits(units, text))) reach(next, at + 1);
      else continue;
      any = true;
    }
    if (!any) return false;
    reached = next;
  }
  return reached[pattern.length] === 1;
}

/** Units against characters: only the last star ever has to take more. */
function matchesUnits(units: readonly Unit[], text: string): boolean {
  let [at, unit, star, retry] = [0, 0, -1, 0];
  while (at < text.length) {
    const wanted = units[unit];
    if (wanted?.kind === 'star') {
      star = unit;
      retry = at;
      unit += 1;
    } else if (wanted?.kind === 'one' && wanted.fits(text.charAt(at))) {
      at += 1;
      unit += 1;
    } else if (star >= 0) {
      retry += 1;
      at = retry;
      unit = star + 1;
    } else return false;
  }
  while (units[unit]?.kind === 'star') unit += 1;
  return unit === units.length;
}

/** Every choice of the braces, written out. A brace without a comma means itself, as in a shell. */
function expandBraces(
  pattern: string,
): { readonly readings: readonly string[] } | { readonly problem: string } {
  interface Open {
    /** Beginnings of this alternative, and the alternatives before it. */
    parts: readonly string[];
    readonly before: string[];
  }
  const stack: Open[] = [{ parts: [''], before: [] }];
  let set = false;
  for (const character of pattern) {
    const top = stack.at(-1);
    if (top === undefined) return { problem: unbalanced };
    if (set || !/[{},]/.test(character) || (character === ',' && stack.length === 1)) {
      top.parts = top.parts.map((part) => part + character);
      if (character === '[') set = true;
      else if (character === ']') set = false;
    } else if (character === '{') stack.push({ parts: [''], before: [] });
    else if (character === ',') {
      top.before.push(...top.parts);
      top.parts = [''];
    } else {
      stack.pop();
      const outer = stack.at(-1);
      if (outer === undefined) return { problem: unbalanced };
      const single = top.before.length === 0;
      const choices = single ? top.parts.map((part) => `{${part}}`) : [...top.before, ...top.parts];
      outer.parts = outer.parts.flatMap((part) => choices.map((choice) => part + choice));
    }
    if (stack.reduce((sum, one) => sum + one.parts.length + one.before.length, 0) > mostReadings)
      return { problem: 'with very many alternatives' };
  }
  const [whole, ...open] = stack;
  if (whole === undefined || open.length > 0) return { problem: unbalanced };
  return { readings: whole.parts };
}

const unbalanced = 'with an unbalanced bracket or brace';

function parseSegment(text: string): { readonly segment: Segment } | { readonly problem: string } {
  if (text === '**') return { segment: '**' };
  const written = unitsOf(text.split(''));
  if (!/[[\]]/.test(text)) return { segment: [written] };
  const parts: (string | Unit)[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (sign === ']') return { problem: unbalanced };
    if (sign !== '[') {
      parts.push(sign);
      continue;
    }
    const rest = text.slice(at);
    // `[[...slug]]`, and a name such as `[user-id]`, make no sense but as names.
    const [name] = /^\[\[\.{3}[^[\]]+\]\]/.exec(rest) ?? [];
    const [set, negation = '', inside = ''] = /^\[([!^]?)([^[\]]+)\]/.exec(rest) ?? [];
    const whole = name ?? set;
    if (whole === undefined) return { problem: unbalanced };
    const fits = name === undefined ? setOf(inside) : null;
    if (fits !== null)
      parts.push({ kind: 'one', fits: (character) => fits(character) !== (negation !== '') });
    else if (name !== undefined || inside.length > 3) parts.push(...whole.split(''));
    else return { problem: 'with a range whose end comes before its beginning' };
    at += whole.length - 1;
  }
  return { segment: [unitsOf(parts), written] };
}

/** Units of characters, and of what is understood already. */
function unitsOf(parts: readonly (string | Unit)[]): readonly Unit[] {
  const units: Unit[] = [];
  for (const part of parts) {
    if (typeof part !== 'string') units.push(part);
    else if (part === '?') units.push({ kind: 'one', fits: () => true });
    else if (part !== '*') units.push({ kind: 'one', fits: (character) => character === part });
    else if (units.at(-1)?.kind !== 'star') units.push({ kind: 'star' });
  }
  return units;
}

/** A test for the inside of brackets: characters, and ranges such as `a-z`; null when a range is upside down. */
function setOf(inside: string): ((character: string) => boolean) | null {
  const ranges: (readonly [string, string])[] = [];
  for (let at = 0; at < inside.length; at += 1) {
    const from = inside.charAt(at);
    const isRange = inside.charAt(at + 1) === '-' && at + 2 < inside.length;
    const to = isRange ? inside.charAt(at + 2) : from;
    if (to < from) return null;
    ranges.push([from, to]);
    if (isRange) at += 2;
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to);
}
