/** How what an agent says and does is shown to a person who reads along. */
import { objectOn } from './json-lines.ts';

/** Characters of a line that was to be JSON and is none: one that was cut off can be very long. */
const brokenLength = 400;
/** Lines of a tool's result that are shown. */
const resultLines = 6;
/** Characters of a line of a tool's use. */
const useLength = 200;

/** What the agent itself says, line by line. */
export function saidText(text: string): readonly string[] {
  return text.trim() === '' ? [] : text.trim().split('\n');
}

/** A tool that it uses, and on what. */
export function useText(tool: string, on: string): string {
  const line = on.replaceAll(/\s+/g, ' ').trim();
  const cut = line.length <= useLength ? line : `${line.slice(0, useLength - 1)}…`;
  return cut === '' ? `▸ ${tool}` : `▸ ${tool}: ${cut}`;
}

/** What came of a tool: its first lines, and how many more there are. */
export function resultText(text: string, failed: boolean): readonly string[] {
  const lines = text.trim() === '' ? [] : text.trim().split('\n');
  const shown = lines.slice(0, resultLines);
  const more = lines.length - shown.length;
  return [
    ...(failed && shown.length === 0 ? ['  ✗'] : []),
    ...shown.map((line, at) => `  ${failed && at === 0 ? '✗ ' : ''}${line}`),
    ...(more > 0 ? [`  … ${more} more lines`] : []),
  ];
}

/** What a person reads of a line of an agent that prints JSON, which may have been cut off. */
export function readableLine(
  line: string,
  show: (line: string) => readonly string[],
): readonly string[] {
  const broken = line.length > brokenLength && line.trimStart().startsWith('{');
  if (!broken || objectOn(line) !== null) return show(line);
  return [`${line.slice(0, brokenLength - 1)}…`];
}
