/** What the bridge of an attempt is told, as one argument: written by the adapter, read by the bridge. */
import { join } from 'node:path';
import { numberIn, objectIn, objectOn, textIn, type Json } from './json-lines.ts';

export interface BridgeSettings {
  /** Name of the agent's profile. */
  readonly profile: string;
  /** Session to go on with, and what it is told; null for a new one with the whole prompt. */
  readonly resume: { readonly session: string; readonly message: string } | null;
  readonly model: string | null;
  /** Its standing instructions; null for none. */
  readonly standing: string | null;
  /** The server of czar's own tools that the agent is given. */
  readonly tools: { readonly command: string; readonly args: readonly string[] } | null;
  /** How long an answer to anything but a prompt may take, milliseconds; absent for the usual. */
  readonly patienceMs?: number;
}

/** Where a file with standing instructions lies that its agent reads by itself. */
export function standingFolder(attemptDir: string): string {
  return join(attemptDir, 'standing');
}

/** As an argument. */
export function settingsArgument(settings: BridgeSettings): string {
  return JSON.stringify(settings);
}

/** From the argument; null when it is not one. */
export function settingsFrom(argument: string): BridgeSettings | null {
  const given = objectOn(argument);
  if (given === null) return null;
  const resume = objectIn(given, 'resume');
  const tools = objectIn(given, 'tools');
  const session = textIn(resume, 'session');
  const command = textIn(tools, 'command');
  const patienceMs = numberIn(given, 'patienceMs');
  return {
    profile: textIn(given, 'profile') ?? 'any',
    resume: session === null ? null : { session, message: textIn(resume, 'message') ?? '' },
    model: textIn(given, 'model'),
    standing: textIn(given, 'standing'),
    tools: command === null ? null : { command, args: textsIn(tools, 'args') },
    ...(patienceMs === null ? {} : { patienceMs }),
  };
}

function textsIn(from: Json, name: string): readonly string[] {
  const value = from[name];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
