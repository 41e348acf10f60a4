/** What only git knows of a run, for whoever reports on it. Where the mirror is gone, what the log has. */
import { existsSync } from 'node:fs';
import type { ChangedPath } from '../../core/events.ts';
import type { RunState, WorkerState } from '../../core/state.ts';
import { gitContext, type GitContext } from '../../git/context.ts';
import { changesOfCommits, type CommitChange } from '../../git/run-facts.ts';
import type { WorkFacts } from '../../report/metrics.ts';
import { isTestFile } from '../../report/test-files.ts';
import type { Place } from '../place.ts';

/** The mirror of a place, for looking at it. */
export function mirrorOf(place: Place): GitContext {
  return gitContext({ root: place.root, commonDir: place.commonDir, home: place.home.path });
}

/** What each worker's work is: merged work by its merge, other work as it was collected last. */
export async function workFacts(
  place: Place,
  run: RunState,
): Promise<ReadonlyMap<string, WorkFacts>> {
  const workers = [...run.workers.values()];
  const merged = workers.flatMap(({ merged: merge }) => (merge === null ? [] : [merge.commit]));
  const changes = await mergeChanges(place, merged);
  return new Map(
    workers.flatMap((worker) => {
      const facts = factsOf(worker, changes);
      return facts === null ? [] : [[worker.id, facts] as const];
    }),
  );
}

/** What merges changed, each against its first parent; empty where the mirror is gone. */
export async function mergeChanges(
  place: Place,
  commits: readonly string[],
): Promise<ReadonlyMap<string, readonly CommitChange[]>> {
  const git = mirrorOf(place);
  if (commits.length === 0 || !existsSync(git.mirror)) return new Map();
  const found = await changesOfCommits(git, commits);
  return found.kind === 'changes' ? found.by : new Map();
}

function factsOf(
  { merged, mergedFacts, work }: WorkerState,
  changes: ReadonlyMap<string, readonly CommitChange[]>,
): WorkFacts | null {
  if (merged === null || mergedFacts === null)
    return work === null ? null : { commits: work.commits, ...counts(work.changed) };
  const found = changes.get(merged.commit);
  const { created, modified, deleted, commits } = mergedFacts;
  if (found === undefined)
    return {
      commits,
      created,
      modified,
      deleted,
      testsAdded: counts(work?.changed ?? []).testsAdded,
    };
  return { commits, ...counts(found) };
}

function counts(changed: readonly (CommitChange | ChangedPath)[]): Omit<WorkFacts, 'commits'> {
  const created = changed.filter(({ status }) => status === 'A');
  const deleted = changed.filter(({ status }) => status === 'D').length;
  return {
    created: created.length,
    modified: changed.length - created.length - deleted,
    deleted,
    testsAdded: created.filter(({ path }) => isTestFile(path)).length,
  };
}
