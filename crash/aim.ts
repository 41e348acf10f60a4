/** Kills aimed at what has just become durable: the derived log is followed, and an event of one type gives the word. */
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The instant at which a shim has claimed its attempt, and nothing of it is in the log. */
export const claim = 'claim';

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
  claim,
  claim,
];

const lookMs = 3;

/** Calls `met` at what is aimed at: an event type, or `claim`; gives the function that calls it off. */
export function whenMet(repo: string, aim: string, met: () => void): () => void {
  return aim === claim ? whenClaimed(repo, met) : whenLogged(repo, aim, met);
}

/** Calls `met` when an attempt's folder gains its `status`. */
function whenClaimed(repo: string, met: () => void): () => void {
  const before = new Set(claims(repo));
  const timer = setInterval(() => {
    if (claims(repo).every((name) => before.has(name))) return;
    clearInterval(timer);
    met();
  }, lookMs);
  return () => clearInterval(timer);
}

function claims(repo: string): readonly string[] {
  const runs = join(repo, '.czar/runs');
  const names = (folder: string): readonly string[] => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  };
  return names(runs).flatMap((run) =>
    names(join(runs, run)).flatMap((worker) =>
      names(join(runs, run, worker))
        .map((attempt) => join(runs, run, worker, attempt, 'status'))
        .filter((file) => existsSync(file)),
    ),
  );
}

/** Calls `met` when the log gains an event of the type; gives the function that calls it off. */
function whenLogged(repo: string, type: string, met: () => void): () => void {
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
