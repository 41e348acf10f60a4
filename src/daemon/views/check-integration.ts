/**
 * Whether every branch that belongs into integration is in it, as git has it now: asked of the user's repository, where
 * people see the branches, so that a branch that went on after its merge, or an integration branch that was set back,
 * is found. Where czar knows that the branch is in other hands, the ref that it keeps of the merged work is asked.
 */
import { mergedName, mergedRef } from '../../core/publish.ts';
import { definitionOf, type RunState, type WorkerState } from '../../core/state.ts';
import { standOf, type BranchStand } from '../../git/merging/ancestors.ts';
import { refHolds } from '../../git/branches.ts';
import type { Failed } from '../../git/git.ts';
import type { IntegrationDocument } from '../../report/integration-schema.ts';
import { membersOf } from '../../report/status.ts';
import type { Place } from '../place.ts';
import { mirrorOf } from './run-facts.ts';

type Row = IntegrationDocument['branches'][number];

/** Looks at all branches of a run. */
export async function checkIntegration(
  place: Place,
  run: RunState,
): Promise<{ readonly kind: 'checked'; readonly document: IntegrationDocument } | Failed> {
  const git = mirrorOf(place);
  const integration = mergedRef(run);
  const members = membersOf(run);
  const refs = members.flatMap(({ branch }) => (branch === null ? [] : [`refs/heads/${branch}`]));
  const here = await standOf(git, { refs: [integration], to: 'HEAD' });
  if (here.kind === 'failed') return here;
  const commit = here.by.get(integration)?.commit ?? null;
  const stands = commit === null ? here : await standOf(git, { refs, to: commit });
  if (stands.kind === 'failed') return stands;
  const by = new Map(stands.by);
  for (const { branch, merged, work } of members) {
    const ref = `refs/heads/${branch}`;
    // A branch that was cleaned up after its merge is looked for by the commit that was merged.
    if (branch === null || merged === null || work === null || by.has(ref)) continue;
    const within = await refHolds(git, integration, work.tip);
    if (typeof within !== 'boolean') return within;
    if (within) by.set(ref, { commit: work.tip, within });
  }
  const branches = members.map((worker) => rowOf({ run, worker, commit }, by));
  const missing = branches.filter((row) => row.required && !row.merged).map((row) => row.worker);
  return {
    kind: 'checked',
    document: {
      v: 1,
      run: run.id,
      integration: { branch: mergedName(run), commit },
      ok: missing.length === 0,
      branches,
      missing,
    },
  };
}

function rowOf(
  of: { readonly run: RunState; readonly worker: WorkerState; readonly commit: string | null },
  stands: ReadonlyMap<string, BranchStand>,
): Row {
  const { run, worker } = of;
  const { id, state, branch } = worker;
  const stand = branch === null ? undefined : stands.get(`refs/heads/${branch}`);
  const required = isRequired(run, worker);
  const merged = worker.work !== null && (stand?.within ?? false);
  return {
    worker: id,
    state,
    branch,
    commit: stand?.commit ?? null,
    required,
    merged,
    why: required && !merged ? whyNot(of, stand) : null,
  };
}

function isRequired(run: RunState, worker: WorkerState): boolean {
  if (worker.state === 'skipped' || worker.noChange) return false;
  return definitionOf(run, worker.id).workspace === 'branch';
}

function whyNot(
  of: { readonly run: RunState; readonly worker: WorkerState; readonly commit: string | null },
  stand: BranchStand | undefined,
): string {
  const { run, worker, commit } = of;
  if (worker.merged === null) return `it is ${worker.state} and was not merged`;
  if (commit === null)
    return `there is no branch ${run.integration}: refs/czar/integration/${run.id} has what was merged`;
  if (stand === undefined) return `there is no branch ${worker.branch}`;
  if (stand.commit !== worker.work?.tip) return 'its branch has gone on since it was merged';
  return `${mergedName(run)} does not have it any more`;
}
