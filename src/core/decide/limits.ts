/** Whether a live run may have other limits, as its configuration says them now. */
import type { Asked } from './asked.ts';
import { lacksLimit } from '../budget.ts';
import { accept, refuse, type Decision } from '../decision.ts';
import { isBuiltIn } from '../disk-space.ts';
import { isFinal } from '../lifecycle.ts';
import { limitChange, noSources, same } from '../limits.ts';
import { isPlanned, type RunState } from '../state.ts';

/** One event when anything differs, nothing when not; a run that is over stays as it was. */
export function setLimits(run: RunState, request: Asked<'set-limits'>): Decision {
  if (run.state === 'complete' || run.state === 'cancelled') return accept([]);
  const { limits, sources, by } = request;
  const change = limitChange(run.plan.policies, limits);
  const elsewhere = sources !== null && !same(sources, run.sources ?? noSources);
  if (change === null && !elsewhere) return accept([]);
  const { budget } = change?.after ?? {};
  const open = run.plan.workers.filter(({ id }) => {
    const worker = run.workers.get(id);
    return worker !== undefined && isPlanned(run, id) && !isFinal(worker.state);
  });
  if (change !== null && 'resources' in { ...change.before, ...change.after }) {
    const there = limits.resources ?? {};
    for (const { id, resources = {} } of open) {
      const name = Object.keys(resources).find(
        (one) => !isBuiltIn(one) && !Object.hasOwn(there, one),
      );
      if (name === undefined) continue;
      const what = `${id} of run ${run.id} asks for ${name}, which resources would not have any more.`;
      return refuse(4, what, 'Take it out of the worker first: czar plan amend.');
    }
  }
  if (budget !== undefined) {
    const without = open.find(({ budget: own }) => lacksLimit(budget, own) !== null);
    if (without !== undefined) {
      return refuse(
        4,
        `A budget of run ${run.id} or of the day needs one of each worker, and ${without.id} has none.`,
        'budget.default in config.yaml gives it one, and czar plan amend takes that into the run.',
      );
    }
  }
  return accept([
    {
      type: 'limits.changed',
      run: run.id,
      data: { ...(change ?? { before: {}, after: {} }), ...(elsewhere ? { sources } : {}), by },
    },
  ]);
}
