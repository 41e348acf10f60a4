/** The exit code that a run's state is for whoever followed it. */
import type { RunState } from '../core/state.ts';
import { exits, type ExitCode } from './exit.ts';

/** `interrupted` when the person who followed it had enough. */
export function exitOf(run: Pick<RunState, 'state'>, interrupted: boolean): ExitCode {
  switch (run.state) {
    case 'complete':
      return exits.done;
    case 'failed':
    case 'cancelled':
      return exits.failed;
    case 'waiting':
    case 'paused':
      return interrupted ? exits.interrupted : exits.waiting;
    case 'running':
      return exits.interrupted;
  }
}
