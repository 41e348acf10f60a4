/**
 * The user beside a run that goes on: says what the plan foresees while a reviewer is still looking, whether a loop
 * lives or has just been killed.
 *
 * Owns the command it has started: when it is disposed of, that has ended.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readLog } from './log.ts';
import { startCzar, type Scratch } from './scratch.ts';

const lookMs = 40;

/** Begins to attend; ends with its disposal. */
export function attend(scratch: Scratch): AsyncDisposable {
  const asked = Object.entries(scratch.plan.overruled ?? {});
  let busy: Promise<void> | null = null;
  const look = (): void => {
    const next = asked.find(([worker]) => isAsked(scratch, worker) && !isSaid(scratch, worker));
    if (next === undefined || busy !== null) return;
    const [worker, args] = next;
    // Where the loop was killed meanwhile it may have come to nothing: the next look tells.
    busy = startCzar(scratch, args).ended.then(() => {
      if (isInLog(scratch, worker)) writeFileSync(join(scratch.side, `said-${worker}`), '');
      busy = null;
    });
  };
  const timer = asked.length === 0 ? undefined : setInterval(look, lookMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await busy;
    },
  };
}

function isAsked({ side }: Scratch, worker: string): boolean {
  return existsSync(join(side, `asked-${worker}`));
}

function isSaid({ side }: Scratch, worker: string): boolean {
  return existsSync(join(side, `said-${worker}`));
}

function isInLog({ repo }: Scratch, worker: string): boolean {
  const events = readLog(repo)?.events ?? [];
  return events.some(
    (event) =>
      event.type === 'review.changes_requested' &&
      event.worker === worker &&
      event.data.text('reviewer') === 'user',
  );
}
