/** What the live agents of a run said last: read from their output, shown and nothing else. */
import { attemptFiles, lastWords } from '../agents/attempt-files.ts';
import { isLive } from '../core/lifecycle.ts';
import type { RunState } from '../core/state.ts';

/** The last line that each live agent printed, by worker. */
export function wordsOfLive(home: string, run: RunState): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const worker of run.workers.values()) {
    if (!isLive(worker.state) || worker.attempt === null) continue;
    const files = attemptFiles({ home, run: run.id, worker: worker.id, attempt: worker.attempt.n });
    const word = lastWords(files, 1).at(-1);
    if (word !== undefined) words.set(worker.id, word);
  }
  return words;
}
