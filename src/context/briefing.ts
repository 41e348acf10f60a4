/**
 * What an agent is told about its work, as facts: gathered from the run's state once for each attempt, so that the
 * identity file and the prompt say the same.
 */
import { mergeGates } from '../core/tree-gates.ts';
import { definitionOf, type RunState, type WorkerState } from '../core/state.ts';
import type { Edge, WorkerDefinition } from '../core/plan.ts';

/** Facts from outside the state. All paths are absolute and exist when the agent starts. */
export interface Place {
  /** The attempt's number, from 1. */
  readonly attempt: number;
  /** Whether it goes on in the tree of the attempt before. */
  readonly continues: boolean;
  /** The folder that it works in. */
  readonly tree: string;
  /** Folder that links are relative to; absent when that is the tree. */
  readonly linksFrom?: string;
  /** Null in an empty workspace. */
  readonly branch: string | null;
  /** File that holds the whole prompt. */
  readonly promptFile: string;
  /** File of shell functions for reporting. */
  readonly shellFile: string;
}

export interface Briefing {
  readonly run: RunState;
  readonly worker: WorkerState;
  readonly definition: WorkerDefinition;
  readonly place: Place;
  readonly dependencies: readonly Dependency[];
  /** Commands that will judge its work, in order. */
  readonly commands: readonly string[];
}

export interface Dependency {
  readonly edge: Edge;
  readonly state: WorkerState;
  readonly role: string | null;
}

/** Gathers what worker `id` of the run is told. Throws when the run has no such worker, which is a bug. */
export function briefing(run: RunState, id: string, place: Place): Briefing {
  const worker = run.workers.get(id);
  if (worker === undefined) throw new Error(`no worker ${id} in run ${run.id}`);
  const definition = definitionOf(run, id);
  return {
    run,
    worker,
    definition,
    place,
    dependencies: definition.edges.flatMap((edge) => {
      const state = run.workers.get(edge.on);
      if (state === undefined) return [];
      return [{ edge, state, role: definitionOf(run, edge.on).role }];
    }),
    commands:
      definition.workspace === 'empty'
        ? definition.verify
        : mergeGates(run, id).map((gate) => gate.command),
  };
}
