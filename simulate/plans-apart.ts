/** Plans with something taken away, the same object for the same plan. */
import type { Plan } from '../src/core/plan.ts';

/** The plan without any budget. */
export function noBudgets(plan: Plan): Plan {
  const known = withoutBudgets.get(plan);
  if (known !== undefined) return known;
  const { budget: _budget, ...policies } = plan.policies;
  const workers = plan.workers.map((one) => ({ ...one, budget: null }));
  const made = { ...plan, policies, workers };
  withoutBudgets.set(plan, made);
  return made;
}

/** The plan whose workers ask for nothing that they share. */
export function noResources(plan: Plan): Plan {
  const known = withoutResources.get(plan);
  if (known !== undefined) return known;
  const workers = plan.workers.map(({ resources: _resources, ...worker }) => worker);
  const made = { ...plan, workers };
  withoutResources.set(plan, made);
  return made;
}

const withoutResources = new WeakMap<Plan, Plan>();
const withoutBudgets = new WeakMap<Plan, Plan>();
