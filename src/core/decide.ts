/**
 * The decision: what a command makes of the present state. Pure; `now` comes with the call. The result is either events
 * to append or a rejection that changes nothing.
 *
 * Outcomes that come too late (of an attempt that is not the worker's last, of a merge that was given up) decide to
 * nothing: that is the fence of S2.
 */
import type { Command } from './commands.ts';
import { decideOutcome } from './decide/outcome.ts';
import { decidePrune } from './decide/prune.ts';
import { decideRequest } from './decide/request.ts';
import type { Decision } from './decision.ts';
import type { RepositoryState } from './state.ts';

/** Events that follow from the command at `now` (milliseconds since 1970), or why it is refused. */
export function decide(state: RepositoryState, command: Command, now: number): Decision {
  if (command.kind === 'prune') return decidePrune(state, command);
  if ('by' in command) return decideRequest(state, command, now);
  return { ok: true, events: decideOutcome(state, command, now) };
}
