/** What the live agents of a run said last: read from their output, shown and nothing else. */
import { attemptFiles, lastOutput, lastWords, spokenWords } from '../../agents/attempt-files.ts';
import { isLive } from '../../core/lifecycle.ts';
import type { RunState } from '../../core/state.ts';
import { redactorOf } from '../redactions.ts';
import { adapterOf } from '../perform/agent-of.ts';

/** Bytes of output that are read to show what an agent says now. */
const lastBytes = 64 * 1024;

/** The last line that each live agent printed, by worker. */
export function wordsOfLive(
  home: string,
  run: RunState,
  env: NodeJS.ProcessEnv,
): ReadonlyMap<string, string> {
  const redact = redactorOf(run.plan, env);
  const words = new Map<string, string>();
  for (const worker of run.workers.values()) {
    if (!isLive(worker.state) || worker.attempt === null) continue;
    const files = attemptFiles({ home, run: run.id, worker: worker.id, attempt: worker.attempt.n });
    const { prints, show } = adapterOf(run, worker.id);
    const said =
      prints === 'json'
        ? spokenWords(files, { output: lastOutput(files, lastBytes), show }, 1)
        : lastWords(files, 1);
    const word = said.at(-1);
    if (word !== undefined) words.set(worker.id, redact(word));
  }
  return words;
}
