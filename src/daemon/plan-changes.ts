/** What of the plan files is no longer as a run has it. */
import type { ConfigSources } from '../core/commands.ts';
import { followUpsOf } from '../core/pull.ts';
import type { RunState } from '../core/state.ts';
import type { Plan } from '../core/plan.ts';
import type { Diagnostic } from '../plan/diagnostics.ts';
import { diffPlans } from '../plan/diff.ts';
import { agentProblem, loadPlan } from '../plan/load.ts';
import { scopeOf } from '../plan/scope.ts';
import { joined } from './follow-ups.ts';
import type { Place } from './place.ts';

/** Why the files give no plan, in a sentence, and what is wrong with them. */
export interface NoPlan {
  readonly problem: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** The plan that the files give now for a run's scope, with the run's own workers, or why they give none, in a sentence. */
export function planNow(
  place: Pick<Place, 'root' | 'home'>,
  run: Pick<RunState, 'plan' | 'scope' | 'pull'>,
  sources: ConfigSources,
): { readonly plan: Plan } | NoPlan {
  const { plan, diagnostics } = loadPlan({ root: place.root, home: place.home, sources });
  if (plan === null) return { problem: 'the files are not a valid plan now', diagnostics };
  const scoped = scopeOf(plan, run.scope ?? []);
  if ('unknown' in scoped) return { problem: `worker ${scoped.unknown} is gone`, diagnostics: [] };
  const problem = agentProblem(scoped.plan);
  return problem === null
    ? { plan: joined(scoped.plan, followUpsOf(run)) }
    : { problem, diagnostics: [] };
}

/** How the plan files, as far as they are the run's, differ from its revision, in sentences; empty when they do not. */
export function differencesOf(
  place: Pick<Place, 'root' | 'home'>,
  run: Pick<RunState, 'plan' | 'scope' | 'pull'>,
  sources: ConfigSources,
): readonly string[] {
  const now = planNow(place, run, sources);
  return 'problem' in now ? [now.problem] : diffPlans(run.plan, now.plan);
}
