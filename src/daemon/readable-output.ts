/** What of an agent's output a person reads. */
import { readableLine } from '../agents/show-text.ts';
import type { RunState } from '../core/state.ts';
import { adapterNamed, adapterOf } from './agent-of.ts';

/**
 * The lines that a line of the worker's agent says to a person; null when it prints text, which is read as it is.
 * `agent` is who made the attempt; left out, it is the last one.
 */
export function readableOutput(
  run: RunState,
  worker: string,
  agent?: string,
): ((line: string) => readonly string[]) | null {
  const named = agent === undefined ? null : adapterNamed(run, agent);
  const { prints, show } = named ?? adapterOf(run, worker);
  return prints === 'text' ? null : (line) => readableLine(line, show);
}
