/** What a person sees while a run goes on. */
import type { Event } from '../core/events.ts';
import type { RepositoryState, RunState } from '../core/state.ts';
import type { CliContext } from './verb.ts';

export interface RunDisplay {
  readonly show: (events: readonly Event[], state: RepositoryState) => void;
  readonly say: (text: string) => void;
  /** Draws the picture of the run until disposed. */
  readonly follow: (run: string, state: () => RepositoryState) => AsyncDisposable;
  readonly summary: (run: RunState, state: RepositoryState) => void;
}

export function runDisplay(context: CliContext): RunDisplay {
  return {
    show: (events) => {
      for (const event of events) {
        if (
          event.worker !== undefined &&
          event.type.startsWith('worker.') &&
          'from' in event.data
        ) {
          context.out.note(
            `${new Date(event.at).toISOString().slice(11, 19)} ${event.worker} ${event.data.from} → ${event.type.slice(7)} (${event.data.reason})`,
          );
        }
      }
    },
    say: (text) => context.out.note(text),
    follow: () => ({ async [Symbol.asyncDispose]() {} }),
    summary: (run) => context.out.line(`Run ${run.id}: ${run.state}`),
  };
}
