/**
 * Whether some path could match two patterns of `owns`, decided on the patterns alone. Braces are expanded first; then two lists of
 * segments are walked together, where `**` stands for any number of segments; two segments are compared character by
 * character as two small automata. Where a pattern has something unusual, the answer is yes.
 */
import { isGlob } from './glob.ts';

/** Whether some path could match both patterns; yes when unsure. */
export function globsOverlap(a: string, b: string): boolean {
  return readingsOf(a).some((one) => readingsOf(b).some((other) => segmentsMeet(one, other)));
}

/** What a pattern may mean, each reading as segments; anything at all when it is too unusual to say. */
export function readingsOf(pattern: string): readonly (readonly Segment[])[] {
  return compile(pattern.replace(/(?<=[^/])\/+$/, '')) ?? [['**']];
}

/** The name that a segment writes out, or null when it may be several. */
export function literalOf(segment: Segment): string | null {
  if (typeof segment === 'string') return null;
  let name = '';
  for (const unit of segment) {
    if (unit.kind === 'star' || unit.sample?.length !== 1) return null;
    name += unit.sample[0];
  }
  return name;
}

/** A character set of a segment; `any` repeats when it is a star. */
type Unit =
  | {
      readonly kind: 'one';
      readonly test: (character: string) => boolean;
      readonly sample: readonly string[] | null;
    }
  | { readonly kind: 'star' };

/** A segment: any number of segments, one whose form is not understood, or units. */
export type Segment = '**' | 'unsure' | readonly Unit[];

const compiled = new Map<string, readonly (readonly Segment[])[] | null>();

function compile(glob: string): readonly (readonly Segment[])[] | null {
  const known = compiled.get(glob);
  if (known !== undefined) return known;
  const result = alternativesOf(glob);
  if (compiled.size > 10_000) compiled.clear();
  compiled.set(glob, result);
  return result;
}

/** The readings of a pattern, each as segments; null when it is too unusual to say. */
function alternativesOf(pattern: string): readonly (readonly Segment[])[] | null {
  // A pattern without a glob names a file, or a folder with everything in it.
  if (!isGlob(pattern)) return [[...pattern.split('/').map(compileSegment), '**']];
  const expanded = expandBraces(pattern);
  if (expanded === null) return null;
  // A name may hold brackets: what is written out exactly is meant too, and a segment whose brackets are those of a name.
  const exact = pattern.split('/').map((segment) => segment.split('').map(character));
  const readings: (readonly Segment[])[] = [exact];
  for (const one of expanded) {
    const texts = one.split('/');
    if (texts.filter((text) => text.includes('[')).length > mostBracketed) return null;
    let open: readonly (readonly Segment[])[] = [[]];
    for (const text of texts) {
      const segment = compileSegment(text);
      const choices = text.includes('[') ? [segment, unitsOf(text.split(''))] : [segment];
      open = open.flatMap((begun) => choices.map((choice) => [...begun, choice]));
    }
    readings.push(...open);
  }
  return readings;
}

/** Segments with brackets in a pattern that are followed up: each doubles its readings. */
const mostBracketed = 4;

function character(wanted: string): Unit {
  return { kind: 'one', test: (other) => other === wanted, sample: [wanted] };
}

/** Alternatives of the braces, or null when there are too many or they are nested oddly. */
function expandBraces(glob: string): readonly string[] | null {
  let open: readonly string[] = [glob];
  for (let round = 0; round < 16; round += 1) {
    if (!open.some((one) => one.includes('{'))) {
      return open.some((one) => one.includes('}')) ? null : open;
    }
    const next: string[] = [];
    for (const one of open) {
      // The innermost braces first, so that nesting needs no counting.
      const match = /\{([^{}]*)\}/.exec(one);
      if (match === null) {
        if (one.includes('{')) return null;
        next.push(one);
        continue;
      }
      const body = match[1] ?? '';
      if (!body.includes(',') || body.includes('..')) return null;
      for (const choice of body.split(',')) {
        next.push(one.slice(0, match.index) + choice + one.slice(match.index + match[0].length));
      }
    }
    if (next.length > 256) return null;
    open = next;
  }
  return null;
}

function compileSegment(text: string): Segment {
  if (text === '**') return '**';
  if (text === '') return 'unsure';
  // By UTF-16 unit, as globs match.
  return /[[\]]/.test(text) ? bracketed(text) : unitsOf(text.split(''));
}

/** Units of characters; brackets are characters here. */
function unitsOf(characters: readonly string[]): readonly Unit[] {
  const units: Unit[] = [];
  for (const sign of characters) {
    if (sign === '?') units.push({ kind: 'one', test: () => true, sample: null });
    else if (sign !== '*') units.push(character(sign));
    else if (units.at(-1)?.kind !== 'star') units.push({ kind: 'star' });
  }
  return units;
}

/** A segment with bracket expressions: simple sets are understood, everything else is unsure. */
function bracketed(text: string): Segment {
  const parts = text.match(/\[[^[\]\\/]+\]|[^[\]]/g);
  if (parts === null || parts.join('') !== text) return 'unsure';
  const units: Unit[] = [];
  for (const part of parts) {
    if (part === '*') {
      if (units.at(-1)?.kind !== 'star') units.push({ kind: 'star' });
    } else if (part === '?') units.push({ kind: 'one', test: () => true, sample: null });
    else if (!part.startsWith('[')) {
      units.push(character(part));
    } else {
      const set = part.slice(1, -1);
      // Ranges, negations and classes: any character may be meant.
      if (/[-!^:]/.test(set)) units.push({ kind: 'one', test: () => true, sample: null });
      else {
        const members = set.split('');
        units.push({ kind: 'one', test: (other) => members.includes(other), sample: members });
      }
    }
  }
  return units;
}

/** Whether some path could match both lists of segments. */
export function segmentsMeet(a: readonly Segment[], b: readonly Segment[]): boolean {
  const width = b.length + 1;
  const seen = new Uint8Array((a.length + 1) * width);
  const queue: [number, number][] = [[0, 0]];
  for (let pair = queue.pop(); pair !== undefined; pair = queue.pop()) {
    const [i, j] = pair;
    if (seen[i * width + j] === 1) continue;
    seen[i * width + j] = 1;
    if (i === a.length && j === b.length) return true;
    const [x, y] = [a[i], b[j]];
    if (x === '**') queue.push([i + 1, j]);
    if (y === '**') queue.push([i, j + 1]);
    if (x === undefined || y === undefined) continue;
    if (x === '**') queue.push([i, j + 1]);
    else if (y === '**') queue.push([i + 1, j]);
    else if (unitsMeet(x, y)) queue.push([i + 1, j + 1]);
  }
  return false;
}

function unitsMeet(a: Segment, b: Segment): boolean {
  if (typeof a === 'string' || typeof b === 'string') return true;
  const width = b.length + 1;
  const seen = new Uint8Array((a.length + 1) * width);
  const queue: [number, number][] = [[0, 0]];
  for (let pair = queue.pop(); pair !== undefined; pair = queue.pop()) {
    const [i, j] = pair;
    if (seen[i * width + j] === 1) continue;
    seen[i * width + j] = 1;
    if (i === a.length && j === b.length) return true;
    const [x, y] = [a[i], b[j]];
    if (x?.kind === 'star') queue.push([i + 1, j]);
    if (y?.kind === 'star') queue.push([i, j + 1]);
    if (x === undefined || y === undefined) continue;
    if (x.kind === 'star' && y.kind === 'one') queue.push([i, j + 1]);
    else if (y.kind === 'star' && x.kind === 'one') queue.push([i + 1, j]);
    else if (x.kind === 'one' && y.kind === 'one' && unitsShare(x, y)) queue.push([i + 1, j + 1]);
  }
  return false;
}

function unitsShare(a: Unit & { kind: 'one' }, b: Unit & { kind: 'one' }): boolean {
  if (a.sample === null || b.sample === null) return true;
  return a.sample.some(b.test);
}
