/** What a line of an agent that prints JSON says of changes of files and of usage, as a person reads it. Pure. */
import type { Usage } from '../core/events.ts';
import { objectIn, objectOn, objectsIn, textIn, type Json } from './json-lines.ts';

/** Lines of each side of a change that are shown. */
const sideLines = 6;

/** The changes of files that a line holds, old lines before new ones; of lines that are the same on both ends nothing. */
export function changesText(line: string): readonly string[] {
  const entry = objectOn(line) ?? {};
  const used = objectsIn(objectIn(entry, 'message'), 'content').filter(
    (block) => textIn(block, 'type') === 'tool_use',
  );
  const inputs = [entry, ...used].map((one) => objectIn(one, 'input'));
  return [
    ...inputs.flatMap((input) => [input, ...objectsIn(input, 'edits')].flatMap(ofInput)),
    ...objectsIn(entry, 'diffs').flatMap((diff) => change(text(diff, 'old'), text(diff, 'new'))),
  ];
}

/** What was used, when anything was said. */
export function usageText({ input, output, cached, costUsd }: Usage): readonly string[] {
  if (output === 0) return [];
  const count = (tokens: number): string => tokens.toLocaleString('en-US');
  const cost = costUsd === 0 ? '' : `, ${costUsd.toFixed(4)} USD`;
  return [
    `(used: ${count(input)} tokens in, ${count(output)} out, ${count(cached)} cached${cost})`,
  ];
}

/** A change as the tools of agents are told it: text that takes the place of other text, or a whole file. */
function ofInput(input: Json): readonly string[] {
  const old = text(input, 'old_string') ?? text(input, 'oldString');
  const made = text(input, 'new_string') ?? text(input, 'newString');
  if (old !== null && made !== null) return change(old, made);
  const named = ['file_path', 'filePath'].some((name) => textIn(input, name) !== null);
  return named ? change(null, text(input, 'content')) : [];
}

/** Also an empty text, which is one. */
function text(from: Json, name: string): string | null {
  const value = from[name];
  return typeof value === 'string' ? value : null;
}

function change(old: string | null, made: string | null): readonly string[] {
  if (old === null && made === null) return [];
  const [before, after] = [linesOf(old), linesOf(made)];
  const most = Math.min(before.length, after.length);
  let top = 0;
  while (top < most && before[top] === after[top]) top += 1;
  let end = 0;
  while (end < most - top && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return [
    ...side('-', before.slice(top, before.length - end)),
    ...side('+', after.slice(top, after.length - end)),
  ];
}

function linesOf(given: string | null): readonly string[] {
  return given === null || given === '' ? [] : given.replace(/\n$/, '').split('\n');
}

function side(sign: '-' | '+', lines: readonly string[]): readonly string[] {
  const more = lines.length - sideLines;
  return [
    ...lines.slice(0, sideLines).map((line) => `  ${sign} ${line}`),
    ...(more > 0 ? [`  ${sign} … ${more} more lines`] : []),
  ];
}
