/**
 * Which commands judge which tree (PRODUCT §8), and how the verdicts on it stand. Definitions come from the run's plan
 * revision, never from a worker's tree, so that no worker can weaken its own gate.
 */
import { treeGateKey, type TreeGate, type TreeVerdict } from './events.ts';
import type { WorkerDefinition } from './plan.ts';
import { othersConcerned } from './resolution.ts';
import { definitionOf, type RunState } from './state.ts';

/** Gates of a worker's own tree: its `verify`. */
export function branchGates(run: RunState, id: string): readonly TreeGate[] {
  return verifyGates(run, definitionOf(run, id));
}

/**
 * Gates of the combined tree: the run's `checks`, the `verify` of those who enter with it, and that of the workers whose
 * lines these removed; without checks, also that of every worker merged before. `ahead` are workers that it is merged on
 * and that are not merged yet.
 */
export function mergeGates(
  run: RunState,
  id: string,
  ahead: readonly string[] = [],
): readonly TreeGate[] {
  const entering = [id, ...ahead].flatMap((one) => [one, ...othersConcerned(run, one)]);
  const own = entering.flatMap((one) => branchGates(run, one));
  if (run.plan.policies.checks.length > 0) return distinct([...checkGates(run), ...own]);
  return distinct([...own, ...mergedGates(run)]);
}

/** Gates of the tree that lands: `checks`, or without them the `verify` of every worker that it holds. */
export function landGates(run: RunState): readonly TreeGate[] {
  if (run.plan.policies.checks.length > 0) return checkGates(run);
  const { landing, mergedOrder } = run;
  // Others may be merged while it is checked; nobody is while the target is brought in.
  const held = landing === null || landing.sync === true ? mergedOrder : landing.held;
  return distinct(held.flatMap((id) => branchGates(run, id)));
}

/** Gates of the list without a verdict on the tree. */
export function openGates(
  run: RunState,
  gates: readonly TreeGate[],
  tree: string,
): readonly TreeGate[] {
  return gates.filter((gate) => verdictOf(run, gate, tree) === undefined);
}

/** Verdicts on the tree, in the order of the gates; gates without one are left out. */
function verdictsOf(
  run: RunState,
  gates: readonly TreeGate[],
  tree: string,
): readonly TreeVerdict[] {
  return gates.flatMap((gate) => verdictOf(run, gate, tree) ?? []);
}

/** Verdicts that do not let the tree pass. What is in quarantine is run and shown, and judges nothing. */
export function objections(
  run: RunState,
  gates: readonly TreeGate[],
  tree: string,
): readonly TreeVerdict[] {
  return judgements(run, gates, tree).filter((verdict) => verdict.result !== 'pass');
}

/** Verdicts on the tree of the gates that judge it. */
export function judgements(
  run: RunState,
  gates: readonly TreeGate[],
  tree: string,
): readonly TreeVerdict[] {
  return verdictsOf(
    run,
    gates.filter((gate) => !inQuarantine(run, gate)),
    tree,
  );
}

/** Whether the command runs and judges nothing. */
export function inQuarantine(
  { plan }: RunState,
  { command }: { readonly command: string },
): boolean {
  return plan.policies.quarantine?.includes(command) === true;
}

/** The part of the open gates that one check tree serves: all that share the setup of the first. */
export function firstGroup(gates: readonly TreeGate[]): readonly TreeGate[] {
  const [first] = gates;
  if (first === undefined) return [];
  const setup = JSON.stringify(first.setup);
  return gates.filter((gate) => JSON.stringify(gate.setup) === setup);
}

function verdictOf(run: RunState, gate: TreeGate, tree: string): TreeVerdict | undefined {
  return run.trees.get(treeGateKey({ tree, command: gate.command, setup: gate.setup }));
}

function mergedGates(run: RunState): readonly TreeGate[] {
  return run.mergedOrder.flatMap((merged) => branchGates(run, merged));
}

function checkGates(run: RunState): readonly TreeGate[] {
  const { checks, setup } = run.plan.policies;
  return checks.map((command) => ({ gate: 'checks', command, setup, owner: null }));
}

function verifyGates(run: RunState, definition: WorkerDefinition): readonly TreeGate[] {
  const setup = definition.setup.length > 0 ? definition.setup : run.plan.policies.setup;
  return definition.verify.map((command) => ({
    gate: 'verify',
    command,
    setup,
    owner: definition.id,
  }));
}

function distinct(gates: readonly TreeGate[]): readonly TreeGate[] {
  const seen = new Set<string>();
  return gates.filter((gate) => {
    const key = treeGateKey({ tree: '', command: gate.command, setup: gate.setup });
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
