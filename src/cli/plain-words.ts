/**
 * Arguments as they are usually typed, read without a parser: known flags by their whole name, values as words of their
 * own. Whatever is unusual or wrong is not judged here: the answer is null, and commander reads the same arguments.
 *
 * Invariant: what is understood here, commander understands in the same way.
 */
import { globalFlags } from './global-options.ts';
import type { Flag, Given, PlainVerb, RawVerb } from './verb.ts';

type Quick = PlainVerb | RawVerb;

/** A verb with what it was given, or a verb that reads the rest itself; `globals` are the global flags. */
export type Understood = { readonly globals: Given } & (
  | { readonly kind: 'plain'; readonly verb: PlainVerb; readonly given: Given }
  | { readonly kind: 'raw'; readonly verb: RawVerb; readonly rest: readonly string[] }
);

/** The verb that is meant and what it is given, or null when that is not plain. */
export function plainWords(
  argv: readonly string[],
  verbs: Readonly<Record<string, Quick>>,
): Understood | null {
  const globals = nothing();
  const own = nothing();
  let verb: PlainVerb | null = null;
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word.startsWith('-')) {
      const global = flagOf(word, globalFlags);
      const flag = global ?? flagOf(word, verb?.options ?? []);
      if (flag === undefined || flag.many === true) return null;
      const given = global === undefined ? own : globals;
      if (flag.value === undefined) given.flags.add(flag.name);
      else {
        index += 1;
        const value = argv[index];
        if (value === undefined || value.startsWith('-') || !accepts(flag, value)) return null;
        given.values.set(flag.name, value);
      }
    } else if (verb === null) {
      const found = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
      if (found === undefined) return null;
      if ('raw' in found) return { kind: 'raw', verb: found, rest: argv.slice(index + 1), globals };
      verb = found;
    } else own.words.push(word);
  }
  if (verb === null || own.words.length > verb.words.length) return null;
  if (verb.words.slice(own.words.length).some((word) => word.required)) return null;
  for (const { name, fallback } of verb.options) {
    if (fallback !== undefined && !own.values.has(name)) own.values.set(name, fallback);
  }
  return { kind: 'plain', verb, given: own, globals };
}

function nothing(): {
  words: string[];
  flags: Set<string>;
  values: Map<string, string>;
  lists: Map<string, readonly string[]>;
} {
  return { words: [], flags: new Set(), values: new Map(), lists: new Map() };
}

function flagOf(word: string, flags: readonly Flag[]): Flag | undefined {
  return flags.find(({ name, short }) => word === `--${name}` || word === `-${short}`);
}

function accepts({ choices, wrong }: Flag, value: string): boolean {
  return (choices?.includes(value) ?? true) && (wrong?.(value) ?? null) === null;
}
