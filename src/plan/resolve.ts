/** From drafts to the definitions of a plan: everything that needs more than one worker, or the configuration. */
import { budgetOf, requireLimits } from './budget-fields.ts';
import { compare, reach, type GraphNode } from '../core/graph.ts';
import type { Machine } from '../core/events.ts';
import type { Edge, Priority, WorkerDefinition } from '../core/plan.ts';
import { chooseAgent, fallbackOf } from './agent-rules.ts';
import { hashOf } from './canonical.ts';
import { milliseconds, retryOf, type Config } from './config-file.ts';
import { report, type Problems } from './diagnostics.ts';
import type { At, WorkerDraft } from './draft.ts';
import { resolveEdges } from './edges.ts';
import { list, none } from './fields.ts';
import { attemptLimits, limitsField } from './limit-fields.ts';
import { checkWhen } from './expression.ts';
import { normalGlob, normalPath } from './globs.ts';
import { meetings } from './claims.ts';
import { checkRequests, resourcesOf } from './resource-fields.ts';
import { checkReview, reviewField } from './review-fields.ts';
import { sharedParts } from './shared-parts.ts';
import { compareFiles, placeOf } from './source.ts';
import { notActedOn } from './worker-schema.ts';

export interface Resolved {
  /** In plan order. */
  readonly workers: readonly WorkerDefinition[];
  readonly overlaps: Readonly<Record<string, readonly string[]>>;
  /** Branches that are written out, with their places. */
  readonly branches: readonly WrittenBranch[];
}

export interface WrittenBranch {
  readonly branch: string;
  readonly at: () => At;
}

/** The workers of a plan; `machine` tells what this one has. With errors noted the result is for showing only. */
export function resolveWorkers(
  drafts: readonly WorkerDraft[],
  config: Config,
  problems: Problems,
  broken: ReadonlySet<string>,
  machine: () => Machine | null,
): Resolved {
  const unique = refuseSameIds([...drafts].sort(inPlanOrder), problems);
  refuseBranches(unique, config, problems);
  const edges = resolveEdges(unique, problems, broken);
  warnModels(unique, config, problems);
  const isUsed = (field: string): boolean =>
    field === 'labels' &&
    (typeof config.approve === 'object' ||
      config.agents.rules.some(({ labels }) => labels !== undefined));
  warnNotActedOn(unique, isUsed, problems);
  for (const draft of unique) {
    checkFields(draft, edges.get(draft.id) ?? [], problems);
    checkReview(draft, config.agents.default.name, problems);
    checkUnanswered(draft, config, problems);
  }
  const workers: WorkerDefinition[] = [];
  for (const draft of unique) {
    const definition = define(draft, edges.get(draft.id) ?? none, config);
    workers.push({ ...definition, ...sharedParts(definition, workers[0]) });
  }
  unique.forEach((draft, index) => {
    const definition = workers[index];
    if (definition === undefined) return;
    requireLimits(config.policies.budget ?? null, { draft, definition }, problems);
    const capacities = config.policies.resources ?? {};
    checkRequests({ draft, definition }, { capacities, machine }, problems);
  });
  const overlaps = findOverlaps(workers, unique, problems);
  warnOverlaps(
    { workers, overlaps, drafts: unique, serialize: config.policies.ownership === 'serialize' },
    problems,
  );
  const branches = unique.flatMap((draft) => {
    const { branch, workspace } = draft.fields;
    return branch === undefined || workspace === 'empty'
      ? []
      : [{ branch, at: () => draft.valueAt('branch') }];
  });
  return { workers, overlaps, branches };
}

const ranks: Readonly<Record<Priority, number>> = { critical: 0, high: 1, normal: 2, low: 3 };

function inPlanOrder(a: WorkerDraft, b: WorkerDraft): number {
  return (
    ranks[a.fields.priority ?? 'normal'] - ranks[b.fields.priority ?? 'normal'] ||
    compareFiles(a.source.file, b.source.file) ||
    a.position - b.position ||
    compare(a.id, b.id)
  );
}

function refuseSameIds(drafts: readonly WorkerDraft[], problems: Problems): readonly WorkerDraft[] {
  const first = new Map<string, WorkerDraft>();
  const byFile = [...drafts].sort(
    (a, b) => compareFiles(a.source.file, b.source.file) || a.position - b.position,
  );
  for (const draft of byFile) {
    const other = first.get(draft.id);
    if (other === undefined) first.set(draft.id, draft);
    else {
      report(problems, draft.valueAt('id'), {
        message: `two workers have the id "${draft.id}": ${other.source.file} and ${draft.source.file}`,
        hint: 'rename one of them',
      });
    }
  }
  return drafts.filter((draft) => first.get(draft.id) === draft);
}

function refuseBranches(drafts: readonly WorkerDraft[], config: Config, problems: Problems): void {
  const named = drafts.flatMap((draft) => {
    const { branch } = draft.fields;
    return branch === undefined
      ? []
      : [{ draft, branch, folded: branch.normalize('NFC').toLowerCase() }];
  });
  const seen = new Map<string, WorkerDraft>();
  for (const { draft, branch, folded } of named) {
    const at = (): At => draft.valueAt('branch');
    const other = seen.get(folded);
    if (other !== undefined) {
      const message = `"${other.id}" and "${draft.id}" have the same branch ${branch}`;
      report(problems, at(), {
        message,
        hint: `see ${other.source.file}; every worker needs a branch of its own`,
      });
    }
    if (branch.startsWith('czar/')) {
      const message = `branch: ${branch} is where czar puts its own branches`;
      report(problems, at(), { message, hint: 'take another name, or leave branch out' });
    }
    if (branch === config.base || branch === config.target) {
      const message = `branch: ${branch} is the base or target of the runs`;
      report(problems, at(), { message, hint: 'a worker needs a branch of its own' });
    }
    seen.set(folded, other ?? draft);
  }
  for (const { draft, folded } of named) {
    const parts = folded.split('/');
    for (let depth = 1; depth < parts.length; depth += 1) {
      const other = seen.get(parts.slice(0, depth).join('/'));
      if (other === undefined) continue;
      report(problems, draft.valueAt('branch'), {
        message: `branch: ${draft.fields.branch} cannot be beside the branch ${other.fields.branch} of "${other.id}"`,
        hint: 'git cannot have a branch that is also a folder of branches; rename one of them',
      });
    }
  }
}

/** One warning for each such field, where it stands first: that many workers have it says enough. */
function warnNotActedOn(
  drafts: readonly WorkerDraft[],
  isUsed: (field: string) => boolean,
  problems: Problems,
): void {
  for (const [field, instead] of Object.entries(notActedOn)) {
    const having = drafts.filter(({ fields }) => Object.hasOwn(fields, field));
    const [first] = having;
    if (first === undefined || isUsed(field)) continue;
    const where = having.length === 1 ? '' : ` (${having.length} workers)`;
    report(problems, first.keyAt(field), {
      severity: 'warning',
      message: `${field}${where}: this version does not act on it`,
      hint: instead,
    });
  }
}

/** A program of the user's own has the model that its command gives it. */
function warnModels(drafts: readonly WorkerDraft[], { agents }: Config, problems: Problems): void {
  const first = drafts.find((draft) => {
    const { name } = chooseAgent(draft, agents);
    const agent = Object.hasOwn(agents.define, name) ? agents.define[name] : undefined;
    return draft.fields.model !== undefined && agent?.adapter === 'command';
  });
  if (first === undefined) return;
  report(problems, first.keyAt('model'), {
    severity: 'warning',
    message: 'model: an agent with the adapter command is started as its command says',
    hint: 'name the model in agents.define, as one of args',
  });
}

/** A default needs its time, and may not let work in that nobody reviewed. */
function checkUnanswered(
  { fields, ...draft }: WorkerDraft,
  config: Config,
  problems: Problems,
): void {
  const { if_unanswered: then, after, review } = fields;
  const skips = (then ?? config.unanswered.instead) === 'skip';
  if (skips && (review ?? config.review) !== 'none') {
    const field = then !== undefined ? 'if_unanswered' : review === undefined ? 'id' : 'review';
    report(problems, draft.valueAt(field), {
      message: 'if_unanswered: skip is refused for a worker that must be reviewed',
      hint: 'deny sends it back, fail ends it',
    });
  }
  if (
    then !== undefined &&
    then !== 'wait' &&
    after === undefined &&
    config.unanswered.afterMs === null
  ) {
    report(problems, draft.valueAt('if_unanswered'), {
      message: `if_unanswered: ${then} needs a time`,
      hint: 'add after, such as after: 1h',
    });
  }
  if (after !== undefined && (then ?? config.unanswered.instead) === 'wait') {
    report(problems, draft.keyAt('after'), {
      severity: 'warning',
      message: 'after: nothing happens then, since if_unanswered is wait',
      hint: 'add if_unanswered: deny, skip or fail',
    });
  }
}

function checkFields(draft: WorkerDraft, edges: readonly Edge[], problems: Problems): void {
  const { fields } = draft;
  if (fields.when !== undefined) {
    // What is written counts, also when it is refused as a dependency: one mistake is one problem.
    const written = (draft.dependencies ?? []).flatMap((one) => (one.kind === 'id' ? one.on : []));
    const problem = checkWhen(fields.when, [...edges.map((edge) => edge.on), ...written]);
    if (problem !== null) {
      const hint =
        'an expression such as workers["a"].state == "complete" over the dependencies of this worker';
      report(problems, draft.valueAt('when'), { message: `when: ${problem}`, hint });
    }
  }
  if (fields.workspace === 'empty') {
    for (const field of ['owns', 'references', 'branch'] as const) {
      if (fields[field] === undefined) continue;
      report(problems, draft.keyAt(field), {
        severity: 'warning',
        message: `${field}: it has no meaning with an empty workspace`,
        hint: 'take it out',
      });
    }
  }
}

/** What happens when nobody answers the worker, and after how long; nothing when it waits. */
function unansweredOf(
  fields: WorkerDraft['fields'],
  { unanswered }: Config,
): Pick<WorkerDefinition, 'unanswered'> {
  const then = fields.if_unanswered ?? unanswered.instead;
  const afterMs = fields.after === undefined ? unanswered.afterMs : milliseconds(fields.after, 0);
  return then === 'wait' || afterMs === null ? {} : { unanswered: { instead: then, afterMs } };
}

/** Whether each launch of the worker waits for a person. */
function mustApprove(
  { approve, labels = {} }: WorkerDraft['fields'],
  otherwise: Config['approve'],
): boolean {
  if (approve !== undefined) return approve;
  if (typeof otherwise === 'boolean') return otherwise;
  return Object.entries(otherwise.labels).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  );
}

function define(draft: WorkerDraft, edges: readonly Edge[], config: Config): WorkerDefinition {
  const { fields, id } = draft;
  const definition = {
    id,
    kind: 'worker' as const,
    role: fields.role ?? null,
    mission: fields.mission ?? null,
    firstAction: fields.first_action ?? null,
    instructions: draft.instructions,
    model: fields.model ?? null,
    branch: fields.branch ?? null,
    workspace: fields.workspace ?? 'branch',
    edges,
    budget: budgetOf(fields.budget) ?? config.budget,
    deliverables: list(fields.deliverables).map(normalPath),
    owns:
      fields.owns === undefined || fields.workspace === 'empty'
        ? null
        : list(fields.owns).map(normalGlob),
    references: list(fields.references).map(normalGlob),
    tasks: list(fields.tasks),
    successCriteria: list(fields.success_criteria),
    verify: list(fields.verify),
    setup: fields.setup === undefined ? config.policies.setup : list(fields.setup),
    teardown: list(fields.teardown),
    copy: list(fields.copy).map(normalPath),
    link: list(fields.link).map(normalPath),
    handoff: fields.handoff ?? 'optional',
    priority: fields.priority ?? 'normal',
    retry: retryOf(fields.retry ?? {}, config.retry),
    timeoutMs: fields.timeout === undefined ? config.timeoutMs : milliseconds(fields.timeout, 0),
    when: fields.when ?? null,
    labels: fields.labels ?? {},
  };
  const agent = chooseAgent(draft, config.agents);
  // Behind what every worker has, so that they begin alike (`journal/packed-plan.ts`).
  const some = {
    ...(mustApprove(fields, config.approve) ? { approve: true as const } : {}),
    ...resourcesOf(fields.resources),
    ...reviewField(fields, config),
    ...unansweredOf(fields, config),
    ...stallOf(fields, config),
    ...limitsField(attemptLimits(fields.limits ?? {}, config.limits)),
    ...fallbackOf(draft, config.agents, agent.name),
  };
  return {
    ...definition,
    source: { file: draft.source.file, line: placeOf(draft.source, draft.begin.start).line },
    agent,
    hash: hashOf({ ...definition, ...some, agent: agent.name }),
    ...some,
  };
}

/** Absent when no silence counts as a stall. */
function stallOf(
  fields: WorkerDraft['fields'],
  { stall }: Config,
): Pick<WorkerDefinition, 'stall'> {
  const { stall_after: after, on_stall: then } = fields;
  const afterMs = after === undefined ? stall.afterMs : milliseconds(after, 0);
  if (afterMs === null) return {};
  return { stall: { afterMs, restart: then === undefined ? stall.restart : then === 'restart' } };
}

/** Most pairs of workers whose claims may overlap: every pair of 1,400. */
const mostOverlaps = 1_000_000;

function findOverlaps(
  workers: readonly WorkerDefinition[],
  drafts: readonly WorkerDraft[],
  problems: Problems,
): Readonly<Record<string, readonly string[]>> {
  const owners = workers.flatMap(({ id, owns }) => (owns === null ? [] : [{ id, owns }]));
  const found = meetings(
    owners.map(({ owns }) => owns),
    mostOverlaps,
  );
  const [first] = drafts.filter(({ fields }) => fields.owns !== undefined);
  if (found === null && first !== undefined) {
    report(problems, first.valueAt('owns'), {
      message: `owns: more than ${mostOverlaps} pairs of workers overlap`,
      hint: 'narrow the patterns',
    });
  }
  return Object.fromEntries(
    owners.map(({ id }, place) => [
      id,
      [...(found?.[place] ?? [])].map((other) => owners[other]?.id ?? '').sort(compare),
    ]),
  );
}

/** The workers whose claims overlap with that of one. */
function overlapsOf(overlaps: Resolved['overlaps'], id: string): readonly string[] {
  return Object.hasOwn(overlaps, id) ? (overlaps[id] ?? []) : [];
}

function warnOverlaps(
  plan: Pick<Resolved, 'workers' | 'overlaps'> & {
    readonly drafts: readonly WorkerDraft[];
    readonly serialize: boolean;
  },
  problems: Problems,
): void {
  const nodes: readonly GraphNode[] = plan.workers;
  const order = new Map(plan.workers.map(({ id }, index) => [id, index]));
  for (const draft of plan.drafts) {
    const earlier = overlapsOf(plan.overlaps, draft.id).filter(
      (id) => (order.get(id) ?? 0) < (order.get(draft.id) ?? 0),
    );
    if (earlier.length === 0) continue;
    const before = reach(nodes, draft.id, 'dependencies');
    const after = reach(nodes, draft.id, 'dependents');
    const together = earlier.filter((id) => !before.has(id) && !after.has(id));
    if (together.length === 0) continue;
    const names = together.slice(0, 3).map((id) => `"${id}"`);
    const more = together.length > 3 ? ` and ${together.length - 3} more` : '';
    report(problems, draft.valueAt('owns'), {
      severity: 'warning',
      message: `owns of "${draft.id}" overlaps with that of ${names.join(', ')}${more}, and they could run together`,
      hint: plan.serialize
        ? 'they run one after the other; narrow the patterns if they should run together'
        : 'they run together and may conflict; narrow the patterns, or add a dependency',
    });
  }
}
