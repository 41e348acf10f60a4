/**
 * `open-log.ts PATH fold|open`: brings the state of a log into this process, by folding all of it or as a loop does, and
 * prints what that took and a digest of the state as JSON.
 */
import { createHash } from 'node:crypto';
import { emptyState, evolve } from '../../src/core/evolve.ts';
import { schedule } from '../../src/core/schedule.ts';
import type { RepositoryState } from '../../src/core/state.ts';
import { openJournal, openJournalForReading } from '../../src/journal/sqlite.ts';

const [path = '', how] = process.argv.slice(2);
const cpu = process.cpuUsage();
const begin = performance.now();
using journal = how === 'fold' ? openJournalForReading(path) : openJournal(path);
if (journal === null) throw new Error(`there is no log ${path}`);
const state = how === 'fold' ? folded() : journal.load();
// What a loop asks of it first.
if (how === 'open') schedule(state, { now: Date.now(), stopping: false });
const wallMs = performance.now() - begin;
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ wallMs, cpuMs: (user + system) / 1000, digest: digest(state) }));

function folded(): RepositoryState {
  const all = emptyState();
  for (const event of journal?.read() ?? []) evolve(all, event);
  return all;
}

/** The same for the same state, in whatever order its objects were put together. */
function digest(of: RepositoryState): string {
  const text = JSON.stringify(of, (_key, value: unknown) => {
    if (value instanceof Map) return [...value];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return createHash('sha256').update(text).digest('hex');
}
