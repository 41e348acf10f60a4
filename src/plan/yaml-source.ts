/**
 * YAML (and JSON) as values that know where they stand. Owns the limits against hostile input: what the parser cannot
 * bear (deep nesting, many anchors, very many tokens) is found by its tokenizer, which does not recurse, before it.
 */
import { isAlias, isMap, isScalar, isSeq, Lexer, parseDocument, visit, type Document } from 'yaml';
import { mostProblems, quoted, report, type Problems, type Range } from './diagnostics.ts';
import type { SourceFile } from './source.ts';

/** A path into a value: keys and indexes. */
export type Path = readonly PropertyKey[];

/** A value and the places of its parts. */
export interface Located {
  readonly value: unknown;
  /** Where the value at `path` stands, or its nearest existing parent. */
  readonly valueAt: (path: Path) => Range;
  /** Where the key of the member at `path` stands, or the value if there is no such key. */
  readonly keyAt: (path: Path) => Range;
}

const limits = { nesting: 64, anchors: 100, tokens: 200_000 } as const;

/** Parses the part of a file from `start` to `end`; null when it is no YAML, with the problems noted. */
export function parseYaml(source: SourceFile, part: Range, problems: Problems): Located | null {
  const text = source.text.slice(part.start, part.end);
  const at = (start: number, end: number = start): { source: SourceFile; range: Range } => ({
    source,
    range: { start: part.start + start, end: part.start + end },
  });
  const excess = tooMuch(text);
  if (excess !== null) {
    report(problems, at(excess.offset), {
      message: excess.message,
      hint: 'a plan file needs far less',
    });
    return null;
  }
  const document = documentOf(text);
  for (const error of document.errors.slice(0, mostProblems)) {
    report(problems, at(...error.pos), {
      message: `this is not YAML: ${lowerFirst(error.message.split('\n')[0] ?? '')}`,
      hint: hints[error.code] ?? null,
    });
  }
  if (document.errors.length > 0) return null;
  for (const { tag, start, end } of strangeTags(document).slice(0, mostProblems))
    report(problems, at(start, end), {
      message: `the tag ${quoted(tag)} has no meaning here`,
      hint: 'take it out',
    });
  const { twice, meaningless } = strangeKeys(document);
  for (const range of meaningless.slice(0, mostProblems))
    report(problems, at(...range), unknownPrototype);
  for (const { key, range } of twice.slice(0, mostProblems)) {
    report(problems, at(...range), {
      message: `the key ${quoted(key)} stands here twice`,
      hint: 'keep one of them',
    });
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: limits.anchors });
    return {
      value,
      valueAt: (path) => shift(valueRange(documentOf(text), path, text.length), part.start),
      keyAt: (path) => shift(keyRange(documentOf(text), path, text.length), part.start),
    };
  } catch (error) {
    const message =
      error instanceof Error ? lowerFirst(error.message) : 'an alias cannot be resolved';
    const alias = unresolvedAlias(document);
    report(problems, at(alias.start, alias.end), {
      message,
      hint: 'write the value out instead of an alias, or put a text that begins with * in quotes',
    });
    return null;
  }
}

/**
 * The document that was parsed last. Those before it are parsed again when a place in them is asked for, which is seldom:
 * a document takes fifty times the memory of its text, and a plan may have thousands.
 */
let last: { readonly text: string; readonly document: Document.Parsed } | null = null;

/** For when no more places are asked for. */
export function forgetDocument(): void {
  last = null;
}

function documentOf(text: string): Document.Parsed {
  if (last?.text !== text) {
    const options = { prettyErrors: false, uniqueKeys: false, logLevel: 'error' } as const;
    last = { text, document: parseDocument(text, options) };
  }
  return last.document;
}

/** Tokens that stand for no text: begin of a document, of a scalar, and an error in flow. */
const marks: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f']);

const hints: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  MULTIPLE_DOCS: 'keep one document a file',
  BAD_ALIAS: 'a text that begins with * must be put in quotes',
  BAD_INDENT: 'lines of one list or map begin in the same column',
  MISSING_CHAR: 'close the bracket or the quote, or put a text with special characters in quotes',
  MULTILINE_IMPLICIT_KEY: 'put a text that holds a colon in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'put a text that holds a colon in quotes',
  UNEXPECTED_TOKEN: 'put a text with special characters in quotes',
};

function tooMuch(text: string): { readonly offset: number; readonly message: string } | null {
  const deep = `more than ${limits.nesting} levels of nesting`;
  // A block level takes at least one column, so a short beginning of line bounds the depth.
  const indented = new RegExp(`^[ ?:-]{${limits.nesting * 4}}`, 'm').exec(text);
  if (indented !== null) return { offset: indented.index, message: deep };
  let [depth, anchors, tokens, offset] = [0, 0, 0, 0];
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    else if (/^[&*]./.test(token)) anchors += 1;
    tokens += 1;
    if (depth > limits.nesting) return { offset, message: deep };
    if (anchors > limits.anchors)
      return { offset, message: `more than ${limits.anchors} anchors and aliases` };
    if (tokens > limits.tokens)
      return { offset, message: `more than ${limits.tokens} words and signs` };
    if (!marks.has(token)) offset += token.length;
  }
  return null;
}

/** Tags of what plan files are made of; others would make dates, sets and bytes of texts. */
const plainTags: ReadonlySet<string> = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

/** A key that would be dropped without a word where names are free. */
const unknownPrototype = { message: 'unknown key "__proto__"', hint: 'take another name' };

/** Keys that stand twice in their map, and those that no map can have. */
function strangeKeys(document: Document.Parsed): {
  readonly twice: readonly { readonly key: string; readonly range: readonly [number, number] }[];
  readonly meaningless: readonly (readonly [number, number])[];
} {
  const found: { key: string; range: [number, number] }[] = [];
  const meaningless: [number, number][] = [];
  const queue: unknown[] = [document.contents];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (isSeq(node)) queue.push(...node.items);
    if (!isMap(node)) continue;
    const keys = new Set<string>();
    for (const pair of node.items) {
      queue.push(pair.value);
      const name = isScalar(pair.key) ? String(pair.key.value) : null;
      if (name === null) continue;
      const range = rangeOf(pair.key);
      if (keys.has(name) && range !== null)
        found.push({ key: name, range: [range.start, range.end] });
      if (name === '__proto__' && range !== null) meaningless.push([range.start, range.end]);
      keys.add(name);
    }
  }
  return { twice: found.sort((a, b) => a.range[0] - b.range[0]), meaningless };
}

function strangeTags(document: Document.Parsed): readonly (Range & { readonly tag: string })[] {
  const found: (Range & { tag: string })[] = [];
  visit(document, {
    Node: (_key, node) => {
      const tag = 'tag' in node ? node.tag : undefined;
      if (tag === undefined || plainTags.has(tag)) return;
      found.push({ tag, ...(rangeOf(node) ?? { start: 0, end: 0 }) });
    },
  });
  return found;
}

function unresolvedAlias(document: Document.Parsed): Range {
  let found: Range = { start: 0, end: 0 };
  visit(document, {
    Alias: (_key, node) => {
      if (node.resolve(document) !== undefined) return undefined;
      found = rangeOf(node) ?? found;
      return visit.BREAK;
    },
  });
  return found;
}

function valueRange(document: Document.Parsed, path: Path, length: number): Range {
  let node: unknown = document.contents;
  let range = rangeOf(node) ?? { start: 0, end: length };
  for (const step of path) {
    if (isAlias(node)) break;
    if (isMap(node)) {
      const pair = node.items.find(
        (one) => isScalar(one.key) && String(one.key.value) === String(step),
      );
      if (pair === undefined) break;
      node = pair.value;
      range = rangeOf(node) ?? rangeOf(pair.key) ?? range;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      range = rangeOf(node) ?? range;
    } else break;
  }
  return range;
}

function keyRange(document: Document.Parsed, path: Path, length: number): Range {
  let node: unknown = document.contents;
  for (const step of path.slice(0, -1)) {
    if (isMap(node)) {
      const found = node.items.find(
        (one) => isScalar(one.key) && String(one.key.value) === String(step),
      );
      node = found?.value;
    } else if (isSeq(node) && typeof step === 'number') node = node.items[step];
    else node = undefined;
  }
  const name = path.at(-1);
  const pair = isMap(node)
    ? node.items.find((one) => isScalar(one.key) && String(one.key.value) === String(name))
    : undefined;
  return rangeOf(pair?.key) ?? valueRange(document, path, length);
}

function rangeOf(node: unknown): Range | null {
  if (typeof node !== 'object' || node === null || !('range' in node)) return null;
  const range = node.range;
  if (!Array.isArray(range)) return null;
  const [start, end]: unknown[] = range;
  return typeof start === 'number' && typeof end === 'number' && end > start
    ? { start, end }
    : null;
}

function shift(range: Range, by: number): Range {
  return { start: range.start + by, end: range.end + by };
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
