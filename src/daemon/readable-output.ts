/** What of an agent's output a person reads. */
import { readableLine } from '../agents/show-text.ts';
import type { RunState } from '../core/state.ts';
import { adapterOf } from './agent-of.ts';

/** The lines that a line of the worker's agent says to a person; null when it prints text, which is read as it is. */
export function readableOutput(
  run: RunState,
  worker: string,
): ((line: string) => readonly string[]) | null {
  const { prints, show } = adapterOf(run, worker);
  return prints === 'text' ? null : (line) => readableLine(line, show);
}
