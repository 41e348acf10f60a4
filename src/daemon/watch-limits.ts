/**
 * Looks whether the files that a run's limits come from have changed, and asks its loop to go by them. Files that do not
 * load, and limits that the run cannot have, are told once; what held goes on to hold.
 *
 * A file counts as written when two looks find it the same, so that half of one is not read. Nothing relies on the file
 * system to tell of a change.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { noSources, type RunSources } from '../core/limits.ts';
import type { Plan } from '../core/plan.ts';
import { restlessRuns } from '../core/restless.ts';
import { isRunLive, type RunState } from '../core/state.ts';
import { userConfigFile } from '../plan/config-layers.ts';
import { limitsNow } from './limits-now.ts';
import type { Loop } from './loop.ts';
import type { Scheduler } from './scheduler.ts';
import type { Place } from './place.ts';

/** Between two looks, and between a look that found a change and the one that believes it, milliseconds. */
const lookMs = 1_000;
const settleMs = 200;

/** What limits were last asked for: the files as they were, and the plan and sources that the run had then. */
interface Tried {
  readonly files: string;
  readonly plan: Plan;
  readonly sources: RunSources | null;
}

/** Looks until disposed. `checkout` is where the home is, as a run knows it. */
export function watchLimits(at: {
  readonly place: Pick<Place, 'root' | 'home' | 'checkout'>;
  readonly env: NodeJS.ProcessEnv;
  readonly loop: Pick<Loop, 'state' | 'send'>;
  readonly scheduler: Scheduler;
  /** Takes what a person should know, a line. */
  readonly say: (line: string) => void;
}): Disposable {
  const { place, loop, scheduler, say } = at;
  const userFile = userConfigFile(at.env);
  const tried = new Map<string, Tried>();
  let seen: string | null = null;
  const told = new Set<string>();
  const tell = (line: string): void => {
    if (told.has(line)) return;
    told.add(line);
    say(line);
  };

  const ask = async (run: RunState, files: string): Promise<void> => {
    const sources = { userFile, ...(run.sources ?? noSources) };
    tried.set(run.id, { files, plan: run.plan, sources: run.sources });
    const found = limitsNow(place, sources);
    if ('problem' in found)
      return tell(`${found.problem}; the limits of run ${run.id} stay as they were`);
    const { limits } = found;
    const answer = await loop.send({
      kind: 'set-limits',
      run: run.id,
      limits,
      sources: null,
      by: 'policy',
    });
    if (answer.ok) return;
    const { consequence, what, next } = answer.rejection;
    if (consequence === 'retry') tried.delete(run.id);
    else tell(`${what} The limits of the run stay as they were. ${next ?? ''}`.trimEnd());
  };

  const look = (): void => {
    const runs = restlessRuns(loop.state).filter(
      (run) => isRunLive(run) && run.checkout === place.checkout,
    );
    const files = filesOf(place, userFile, runs).map(fingerprint).join('\n');
    const settled = files === seen;
    // Written anew, the same mistake is worth another word.
    if (!settled) told.clear();
    seen = files;
    if (settled) {
      for (const run of runs) {
        const last = tried.get(run.id);
        const isNew =
          last?.files !== files || last.plan !== run.plan || last.sources !== run.sources;
        // A loop that has ended meanwhile takes no limits.
        if (isNew) ask(run, files).catch(() => undefined);
      }
    }
    callOff = scheduler.timer(look, settled ? lookMs : settleMs);
  };
  let callOff = scheduler.timer(look, 0);
  return {
    [Symbol.dispose]() {
      callOff();
    },
  };
}

function filesOf(
  { home }: Pick<Place, 'home'>,
  userFile: string | null,
  runs: readonly RunState[],
): readonly string[] {
  const environments = new Set(runs.flatMap(({ sources }) => sources?.environment ?? []));
  return [
    ...(userFile === null ? [] : [userFile]),
    join(home.path, 'config.yaml'),
    ...[...environments].sort().map((name) => join(home.path, 'env', `${name}.yaml`)),
  ];
}

/** What tells one state of a file from another. */
function fingerprint(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'none';
  }
}
