/** What of an agent's output a person reads. */
import type { Adapter } from '../../agents/adapter.ts';
import { changesText, usageText } from '../../agents/show-change.ts';
import { readableLine } from '../../agents/show-text.ts';
import type { RunState } from '../../core/state.ts';
import { adapterNamed, adapterOf } from '../perform/agent-of.ts';

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
  const adapter = named ?? adapterOf(run, worker);
  if (adapter.prints === 'text') return null;
  return (line) => {
    const shown = readableLine(line, adapter.show);
    return [...shown, ...changesText(line), ...toldBy(adapter, line, shown.length > 0)];
  };
}

/** What a line reports beside what its agent says in it: what was used in all, and what was not allowed. */
function toldBy({ read, capabilities }: Adapter, line: string, said: boolean): readonly string[] {
  return read(line).flatMap((one): readonly string[] => {
    if ('refused' in one) return [];
    if (one.kind === 'denied' && !said) return [`(not allowed: ${one.detail || one.tool})`];
    const whole = one.kind === 'usage' && (one.total === true || capabilities.usage === 'turns');
    return whole ? usageText(one.usage) : [];
  });
}
