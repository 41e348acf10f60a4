/** What the closing report needs from git and the log beside the state. */
import { stillRefused } from '../../core/push.ts';
import { existsSync } from 'node:fs';
import { definitionOf, type RunState } from '../../core/state.ts';
import { filesOf } from '../../git/facts.ts';
import { commitsBetween, changesBetween } from '../../git/run-facts.ts';
import { missingDeliverables } from '../../gates/change-gates.ts';
import { closeoutDocument } from '../../report/closeout.ts';
import type { CloseoutDocument } from '../../report/closeout-schema.ts';
import { membersOf } from '../../report/status.ts';
import type { Place } from '../place.ts';
import type { Reader } from './read.ts';
import { mirrorOf, workFacts } from './run-facts.ts';

/** The closing report of a run, as of `now` (milliseconds since 1970). */
export async function closeout(
  place: Place,
  of: { readonly reader: Reader; readonly run: RunState; readonly now: number },
): Promise<CloseoutDocument> {
  const { reader, run, now } = of;
  const [facts, brought, paths] = await Promise.all([
    workFacts(place, run),
    broughtBy(place, run),
    pathsOf(place, run),
  ]);
  return closeoutDocument({
    run,
    now,
    events: reader.events({ run: run.id }),
    refused: stillRefused(run, reader.events({ run: run.id, types: ['refs.pushed'] })),
    facts,
    brought,
    deliverables: deliverablesOf(run, paths),
  });
}

/** What integration has over the base. */
async function broughtBy(place: Place, run: RunState): Promise<CloseoutDocument['brought']> {
  const git = mirrorOf(place);
  if (run.tip === null || !existsSync(git.mirror)) return null;
  const range = { from: run.base.commit, to: run.tip };
  const [commits, changed] = await Promise.all([
    commitsBetween(git, range),
    changesBetween(git, range),
  ]);
  if (commits.kind === 'failed' || changed.kind === 'failed') return null;
  const count = (status: 'A' | 'M' | 'D'): number =>
    changed.changed.filter((one) => one.status === status).length;
  return {
    commits: commits.count,
    files: {
      created: count('A'),
      modified: count('M'),
      deleted: count('D'),
      total: changed.changed.length,
    },
  };
}

/** Every path of the integration branch; null when git could not tell. */
async function pathsOf(place: Place, run: RunState): Promise<readonly string[] | null> {
  const git = mirrorOf(place);
  if (run.tip === null || !existsSync(git.mirror)) return null;
  const found = await filesOf(git, run.tip);
  return found.kind === 'files' ? found.files.map(({ path }) => path) : null;
}

function deliverablesOf(
  run: RunState,
  paths: readonly string[] | null,
): CloseoutDocument['deliverables'] {
  return membersOf(run).flatMap(({ id, verdicts }) => {
    const definition = definitionOf(run, id);
    const judged = verdicts.find(({ gate }) => gate === 'deliverables');
    return definition.deliverables.map((path) => {
      if (definition.workspace === 'empty')
        return {
          worker: id,
          path,
          present: judged === undefined ? null : judged.result === 'pass',
        };
      const missing =
        paths === null ? null : missingDeliverables({ deliverables: [path] }, paths).files;
      return { worker: id, path, present: missing === null ? null : missing.length === 0 };
    });
  });
}
