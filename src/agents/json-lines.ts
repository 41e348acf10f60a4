/** Reading of JSON lines whose shape is another program's: nothing of it is taken for granted. */
import { parseObject } from '../process/report-file.ts';

export type Json = Readonly<Record<string, unknown>>;

/** The object on a line; null when there is none. */
export function objectOn(line: string): Json | null {
  return line.trimStart().startsWith('{') ? parseObject(line) : null;
}

/** The objects of these lines, in their order. */
export function objectsOn(lines: readonly string[]): readonly Json[] {
  return lines.map(objectOn).filter((entry) => entry !== null);
}

/** The object under the name; empty when there is none. */
export function objectIn(from: Json, name: string): Json {
  const value = from[name];
  return isObject(value) ? value : {};
}

/** The objects of the list under the name. */
export function objectsIn(from: Json, name: string): readonly Json[] {
  const value = from[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The text under the name; null when there is none. */
export function textIn(from: Json, name: string): string | null {
  const value = from[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** No figure of a real attempt is above it. */
const maxFigure = 1e12;

/** The number under the name, neither negative nor absurd; null when there is none. */
export function numberIn(from: Json, name: string): number | null {
  const value = from[name];
  return typeof value === 'number' && value >= 0 && value <= maxFigure ? value : null;
}

/** A count of tokens under the name; 0 when there is none. */
export function tokensIn(from: Json, name: string): number {
  return Math.round(numberIn(from, name) ?? 0);
}

/** The id of a session under the name; null for what could be read as anything but an id in an argument. */
export function sessionIn(from: Json, name: string): string | null {
  const id = textIn(from, name);
  return id !== null && /^[A-Za-z0-9][\w.-]{0,127}$/.test(id) ? id : null;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
