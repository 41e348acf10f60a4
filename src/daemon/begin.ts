/** From what a person wants begun to the requests that begin it, whoever sends them to the loop. */
import type { Request } from '../core/commands.ts';
import { decide } from '../core/decide.ts';
import type { RunBase } from '../core/events.ts';
import { sharedWithUser } from '../core/isolation.ts';
import { same } from '../core/limits.ts';
import type { Plan } from '../core/plan.ts';
import { isRunLive, type RepositoryState } from '../core/state.ts';
import type { GitContext } from '../git/context.ts';
import type { RepositoryFacts } from '../git/repository.ts';
import { counted } from '../report/figures.ts';
import { choose, invalid, refusal, type Refusal, type Wanted } from './choose-run.ts';
import { askLimits, runSources } from './limits-now.ts';
import { lostMirror } from './lost-mirror.ts';
import { missingAgents, notInstalled, replaceable, replacedText } from './missing-agents.ts';
import { newRun } from './new-run.ts';
import { permissionNotes } from './permission-notes.ts';
import type { Place } from './place.ts';
import { planNow } from './plan-changes.ts';

/** What is to be begun: requests for the loop, in order; none when a run only goes on. */
export interface Beginning {
  readonly run: string;
  readonly requests: readonly Request[];
  /** Whether the run is over already, and stays so. */
  readonly over: boolean;
  /** Whether it waits for a person, and this changes nothing of that. */
  readonly waits: boolean;
  /** What the person should know, each one sentence. */
  readonly notes: readonly string[];
}

export type Began =
  ({ readonly ok: true } & Beginning) | { readonly ok: false; readonly refusal: Refusal };

/** What begins, or why nothing. Writes nothing, but for the snapshot of a checkout whose changes are to be included. */
export async function begin(at: {
  readonly place: Place;
  readonly facts: RepositoryFacts;
  readonly git: GitContext;
  readonly state: RepositoryState;
  readonly wanted: Wanted;
  readonly now: number;
  /** Value of PATH where agents will be started. */
  readonly path: string;
}): Promise<Began> {
  const { place, facts, git, state, wanted, now, path } = at;
  const chosen = choose({ place, state, wanted });
  if (!chosen.ok) return chosen;
  const { choice } = chosen;
  const notes = [...chosen.notes];
  const here = { path, root: place.root };
  if (choice.kind === 'continue') {
    const { run } = choice;
    const requests: Request[] = [];
    let amended: Plan | null = null;
    if (choice.amend !== null) {
      const { scope } = choice.amend;
      const planned = state.runs.get(run);
      if (planned === undefined) return refusal(3, `there is no run ${run}`);
      const found = planNow(place, { ...planned, scope }, wanted.sources);
      if ('problem' in found) return invalid(found);
      const absent = missingAgents(found.plan, here);
      if (absent !== null) return refusal(2, absent, notInstalled(found.plan, here));
      requests.push({ kind: 'amend', run, plan: found.plan, scope });
      amended = found.plan;
    }
    const live = state.runs.get(run);
    if (live !== undefined && isRunLive(live)) {
      const replaced = replaceable(amended ?? live.plan, here);
      const agents = [...replaced.keys()];
      if (!same(agents, live.missing)) {
        requests.push({ kind: 'set-missing-agents', run, agents });
        notes.push(...replacedText(amended ?? live.plan, replaced));
      }
    }
    const limits = live === undefined ? null : askLimits(place, live, wanted.sources);
    const words: string[] = [];
    if (limits !== null && live !== undefined) {
      // What the run cannot have yet may be what an amendment brings with it.
      const decided =
        'problem' in limits || choice.amend !== null
          ? null
          : decide(state, { ...limits, by: 'user' }, now);
      if ('problem' in limits) words.push(`${limits.problem}: the limits stay as they were.`);
      else if (decided?.ok === false) words.push(decided.rejection.what);
      else if (decided === null || decided.events.length > 0) requests.push(limits);
    }
    const approving = state.runs.get(run)?.approve === true;
    if (wanted.approve && !approving) requests.push({ kind: 'set-approval', run, approve: true });
    if (choice.retryFailed) requests.push({ kind: 'retry-failed', run });
    const [first] = requests;
    const decision = first === undefined ? null : decide(state, { ...first, by: 'user' }, now);
    if (decision?.ok === false) {
      const { exit, what, next } = decision.rejection;
      return refusal(exit, what.replace(/\.$/, ''), { next });
    }
    const over = requests.length === 0 && state.runs.get(run)?.state === 'complete';
    const news = requests.some(({ kind }) => kind !== 'set-missing-agents');
    const lost = over ? null : await lostMirror(git, live);
    if (lost !== null) return refusal(4, lost.what, { next: lost.next });
    const waits = !news && state.runs.get(run)?.state === 'waiting';
    return { ok: true, run, requests, over, waits, notes: [...notes, ...words] };
  }
  const { plan, scope, settings, branchAt } = choice;
  const absent = missingAgents(plan, here);
  if (absent !== null) return refusal(2, absent, notInstalled(plan, here));
  const { includeDirty, approve } = wanted;
  const sources = runSources(wanted.sources);
  const options = { plan, scope, ...settings, includeDirty, approve, sources };
  const made = await newRun({ git, facts, state, now, ...options });
  if (!made.ok) {
    const { exit, what, next } = made.rejection;
    const where = made.branch === undefined ? null : branchAt(made.branch);
    return refusal(exit, what.replace(/\.$/, ''), { where, next });
  }
  const replaced = replaceable(plan, here);
  const request = { ...made.request, missing: [...replaced.keys()] };
  const shared = sharedWithUser(plan.policies);
  return {
    ok: true,
    run: request.run,
    requests: [request],
    over: false,
    waits: false,
    notes: [
      ...notes,
      ...replacedText(plan, replaced),
      ...(shared === null ? [] : [shared]),
      ...baseNotes(request.base, made.leftOut),
      ...permissionNotes(plan),
    ],
  };
}

/** What of the checkout agents see and what they do not, each one sentence. */
function baseNotes(
  { commit, dirty, included }: RunBase,
  leftOut: readonly { readonly path: string; readonly why: string }[],
): readonly string[] {
  const from = commit.slice(0, 10);
  if (included === undefined) {
    if (dirty === 0) return [];
    return [
      `${counted(dirty, 'file')} of your checkout ${dirty === 1 ? 'has' : 'have'} changes that no agent will see: the run starts from ${from}. --include-dirty shows them.`,
    ];
  }
  return [
    `Agents see ${counted(included, 'uncommitted file')} of your checkout too: the run starts from a snapshot, ${from}.`,
    ...leftOut.map(({ path, why }) => `Not in the snapshot: ${path}: ${why}`),
  ];
}
