/**
 * Workers that mend what was said of a run's pull request. No file defines them: each is made from the worker whose work
 * it is about, and belongs to the run alone.
 */
import { code, quoted } from '../context/quote.ts';
import type { OwnedRemark } from '../core/home-requests.ts';
import type { Plan, WorkerDefinition } from '../core/plan.ts';
import { mends } from '../core/pull.ts';
import { definitionOf, type RunState } from '../core/state.ts';
import { hashOf } from '../plan/canonical.ts';

/** Rounds for the work of one worker, where nothing else is set. */
const usualRounds = 3;

/** A plan with a follow-up for each owner of what is new and that has had fewer rounds than `max_rework`, and which that is. */
export function withFollowUps(
  run: RunState,
  of: { readonly number: number; readonly remarks: readonly OwnedRemark[] },
): { readonly plan: Plan; readonly followUps: Readonly<Record<string, string>> } {
  const most = run.plan.policies.maxRework ?? usualRounds;
  const made = new Map<string, WorkerDefinition>();
  const fresh = of.remarks.filter(({ id }) => run.pull?.seen.includes(id) !== true);
  const groups = Map.groupBy(fresh, ({ owner }) => mends(run.pull, owner));
  for (const [root, remarks] of groups) {
    const rounds = run.pull?.followUps.filter(({ owner }) => owner === root).length ?? 0;
    if (rounds < most) made.set(root, followUp(run, { ...of, root, remarks }));
  }
  return {
    plan: joined(run.plan, [...made.values()]),
    followUps: Object.fromEntries([...made].map(([owner, { id }]) => [owner, id])),
  };
}

/** The plan with workers that stand in no file; the same ones give the same revision, however they came. */
export function joined(plan: Plan, workers: readonly WorkerDefinition[]): Plan {
  return workers.reduce(joinedBy, plan);
}

function joinedBy(plan: Plan, worker: WorkerDefinition): Plan {
  const { id, owns, edges, hash } = worker;
  const [root] = edges;
  const beside = Object.hasOwn(plan.overlaps, root?.on ?? '') ? plan.overlaps[root?.on ?? ''] : [];
  const others = owns === null || root === undefined ? [] : [root.on, ...(beside ?? [])].sort();
  const overlaps = Object.entries(plan.overlaps).map(([one, met]) =>
    others.includes(one) ? [one, [...met, id].sort()] : [one, met],
  );
  return {
    ...plan,
    workers: [...plan.workers, worker],
    overlaps: {
      ...Object.fromEntries(overlaps),
      ...(owns === null ? {} : { [id]: others }),
    },
    revision: hashOf([plan.revision, hash]),
  };
}

function followUp(
  run: RunState,
  of: { readonly number: number; readonly root: string; readonly remarks: readonly OwnedRemark[] },
): WorkerDefinition {
  const { number, root, remarks } = of;
  const about = definitionOf(run, root);
  const { source, agent, hash: _hash, fallback, ...rest } = about;
  const definition = {
    ...rest,
    id: freeId(run, root),
    mission: `Mend what was found on pull request ${number} in the work of ${root}.`,
    firstAction: 'Read what was found, and the code that it names.',
    instructions: instructions(about, remarks),
    branch: null,
    edges: [
      {
        on: root,
        kind: 'output' as const,
        requires: 'complete' as const,
        allowSkipped: true,
        inputs: [],
        reason: 'the work that it mends',
        via: 'explicit' as const,
      },
    ],
    deliverables: [],
    tasks: [],
    when: null,
    ...(fallback === undefined ? {} : { fallback }),
  };
  return { ...definition, source, agent, hash: hashOf({ ...definition, agent: agent.name }) };
}

function freeId(run: RunState, root: string): string {
  for (let n = 1; ; n += 1) {
    const end = `-pull-${n}`;
    const id = `${root.slice(0, 64 - end.length).replace(/[._-]$/, '')}${end}`;
    if (!run.workers.has(id)) return id;
  }
}

function instructions(about: WorkerDefinition, remarks: readonly OwnedRemark[]): string {
  const was = about.mission === null ? [] : [`What ${about.id} was for: ${about.mission.trim()}`];
  return [
    '## What was found',
    ...remarks.map(told),
    '## How to answer',
    'Mend what is wrong, and leave what is right as it is. Where you change nothing, say why in your handoff.',
    ...was,
  ].join('\n\n');
}

function told({ kind, by, file, line, text }: OwnedRemark): string {
  const place = file === null ? '' : ` at ${code(line === null ? file : `${file}:${line}`)}`;
  const heading = `### ${kind === 'check' ? `The check ${code(by)} failed` : `A comment of ${code(by)}`}${place}`;
  const said =
    kind === 'check'
      ? quoted({ kind: 'program', what: 'the check' }, text)
      : quoted({ kind: 'person' }, text);
  return text.trim() === '' ? heading : `${heading}\n\n${said}`;
}
