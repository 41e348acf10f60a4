/** Every gate of a worker with its verdict on the work as it stands now. Pure: outputs are an argument. */
import { treeGateKey, type ChangeVerdict, type TreeGate } from '../core/events.ts';
import { tipOf, treeOf } from '../core/settle.ts';
import { definitionOf, type RunState, type WorkerState } from '../core/state.ts';
import { branchGates, inQuarantine, mergeGates } from '../core/tree-gates.ts';
import type { GateDocument } from './gates-schema.ts';

type Row = GateDocument['gates'][number];

/** Where the output of a gate lies and how it ends; null when it is gone. */
export type OutputOf = (log: string) => { readonly file: string; readonly end: string } | null;

const changeGates: readonly ChangeVerdict['gate'][] = [
  'deliverables',
  'handoff',
  'ownership',
  'protect',
];

/** The document. */
export function gateDocument(run: RunState, worker: WorkerState, outputOf: OutputOf): GateDocument {
  const { merge, merged } = worker;
  const isEmpty = definitionOf(run, worker.id).workspace === 'empty';
  const tree = worker.work !== null ? treeOf(worker) : isEmpty ? lastFolder(run, worker) : null;
  const combined = merged?.tree ?? merge?.built?.tree ?? lastCombined(run, worker);
  return {
    v: 1,
    run: run.id,
    worker: worker.id,
    state: worker.state,
    gates: [
      ...changeGates
        .filter((gate) => !isEmpty || gate === 'deliverables' || gate === 'handoff')
        .map((gate) => changeRow(run, worker, gate)),
      ...branchGates(run, worker.id).map((gate) =>
        treeRow(run, { gate, on: 'branch', tree }, outputOf),
      ),
      ...(isEmpty
        ? []
        : combinedGates(run, worker).map((gate) =>
            treeRow(run, { gate, on: 'combined', tree: combined }, outputOf),
          )),
    ],
  };
}

/** The name under which the folder of an empty workspace was judged last; the one to come while that is under way. */
function lastFolder(run: RunState, worker: WorkerState): string | null {
  if (worker.state === 'verifying') return treeOf(worker);
  const own = `workspace:${worker.id}:`;
  return [...run.trees.values()].findLast(({ tree }) => tree.startsWith(own))?.tree ?? null;
}

/** Of what was merged, those that were asked for then: workers that were merged later do not count. */
function combinedGates(run: RunState, worker: WorkerState): readonly TreeGate[] {
  const at = run.mergedOrder.indexOf(worker.id);
  return mergeGates(
    at < 0 ? run : { ...run, mergedOrder: run.mergedOrder.slice(0, at) },
    worker.id,
  );
}

/** Tree of a merge that its gates refused: the last one that a gate of it judged, and that is nobody else's. */
function lastCombined(run: RunState, worker: WorkerState): string | null {
  if (worker.block?.step !== 'merging') return null;
  const commands = new Set(combinedGates(run, worker).map((gate) => gate.command));
  const others = [...run.workers.values()].filter(({ id }) => id !== worker.id);
  const theirs = new Set(others.flatMap(({ work, merged }) => [work?.tree, merged?.tree]));
  const judged = [...run.trees.values()].filter(
    (verdict) =>
      verdict.result !== 'pass' && commands.has(verdict.command) && !theirs.has(verdict.tree),
  );
  return judged.at(-1)?.tree ?? null;
}

function changeRow(run: RunState, worker: WorkerState, gate: ChangeVerdict['gate']): Row {
  const { hash } = definitionOf(run, worker.id);
  const verdict = worker.verdicts.findLast(
    (one) => one.gate === gate && one.tip === tipOf(worker) && one.definition === hash,
  );
  return {
    gate,
    on: 'change',
    command: null,
    result: verdict?.result ?? null,
    findings: [...(verdict?.findings ?? [])],
    files: [...(verdict?.files ?? [])],
    duration_ms: null,
    tries: null,
    quarantined: false,
    log: null,
    output: null,
  };
}

function treeRow(
  run: RunState,
  of: {
    readonly gate: TreeGate;
    readonly on: 'branch' | 'combined';
    readonly tree: string | null;
  },
  outputOf: OutputOf,
): Row {
  const { gate, on, tree } = of;
  const { command, setup } = gate;
  const verdict = tree === null ? undefined : run.trees.get(treeGateKey({ tree, command, setup }));
  const output = verdict?.log == null ? null : outputOf(verdict.log);
  return {
    gate: gate.gate,
    on,
    command,
    result: verdict?.result ?? null,
    findings: [...(verdict?.findings ?? [])],
    files: [],
    duration_ms: verdict?.durationMs ?? null,
    tries: verdict === undefined ? null : (verdict.tries ?? 1),
    quarantined: inQuarantine(run, gate),
    log: output?.file ?? null,
    output: output?.end ?? null,
  };
}
