/** The program of an agent, and what is written behind it. */
import { resolve } from 'node:path';
import type { StartOptions } from './adapter.ts';

/** A program with a slash is taken from the root of the user's repository, whatever an agent has put into its tree. */
export function commandOf({
  definition,
  repository,
}: Pick<StartOptions, 'definition' | 'repository'>): readonly string[] {
  const [program = '', ...args] = definition.command;
  return [program.includes('/') ? resolve(repository, program) : program, ...args];
}
