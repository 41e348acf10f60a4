/** Kills aimed at what has just become durable: the derived log is followed, and an event of one type gives the word. */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Events after which something is about to happen, or is under way. */
export const aims = [
  'run.started',
  'run.prepared',
  'worker.started',
  'attempt.prepared',
  'attempt.setup_passed',
  'worker.active',
  'attempt.ended',
  'work.collected',
  'worker.verifying',
  'gate.started',
  'gate.passed',
  'merge.started',
  'merge.built',
  'worker.merged',
  'worker.complete',
  'worker.blocked',
  'worker.error',
  'run.complete',
];

const lookMs = 3;

/** Calls `met` when the log gains an event of the type; gives the function that calls it off. */
export function whenLogged(repo: string, type: string, met: () => void): () => void {
  const file = join(repo, '.czar/logs/events.jsonl');
  let at = existsSync(file) ? statSync(file).size : 0;
  const timer = setInterval(() => {
    if (!existsSync(file)) return;
    const size = statSync(file).size;
    if (size <= at) return;
    const bytes = Buffer.alloc(size - at);
    const handle = openSync(file, 'r');
    readSync(handle, bytes, 0, bytes.length, at);
    closeSync(handle);
    at = size;
    if (!new RegExp(`"type":\\s*"${type}"`).test(bytes.toString('utf8'))) return;
    clearInterval(timer);
    met();
  }, lookMs);
  return () => clearInterval(timer);
}
