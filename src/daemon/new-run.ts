/** The beginning of a run: its id, the commit it starts from, its branches, and what stands in the way of them. */
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import type { Rejection, Request } from '../core/commands.ts';
import type { RunBase } from '../core/events.ts';
import { noSources, same, type RunSources } from '../core/limits.ts';
import type { Plan } from '../core/plan.ts';
import type { RepositoryState } from '../core/state.ts';
import { branchFacts, type BranchFacts } from '../git/branches.ts';
import { defaultSecretPatterns } from '../git/collecting/capture.ts';
import { inMirror, inUserRepository, type GitContext } from '../git/context.ts';
import { listRefsIn, readRefIn } from '../git/refs.ts';
import type { RepositoryFacts } from '../git/repository.ts';
import { takeSnapshot } from '../git/collecting/snapshot.ts';
import { unsupportedIn } from '../git/unsupported.ts';
import { closedFolder } from '../git/writable.ts';
import { succeed } from './perform/succeed.ts';

export type NewRun =
  | {
      readonly ok: true;
      readonly request: Extract<Request, { kind: 'start-run' }>;
      /** Changed files of the checkout that could not be made part of what agents see, each with the reason. */
      readonly leftOut: readonly { readonly path: string; readonly why: string }[];
    }
  | {
      readonly ok: false;
      readonly rejection: Rejection;
      /** The branch of a worker that is in the way, when that is why. */
      readonly branch?: string;
    };

/** The request that starts a run of the plan, or why it cannot start here and now. */
export async function newRun(options: {
  readonly git: GitContext;
  readonly facts: RepositoryFacts;
  readonly plan: Plan;
  /** Workers of the plan when they are a part of those in the files; null when they are all. */
  readonly scope: readonly string[] | null;
  /** Ref or commit to start from, as configured; null means what is checked out. */
  readonly base: string | null;
  /** Branch to land on, as configured; null means the branch that is checked out. */
  readonly target: string | null;
  /** Whether agents see the uncommitted changes of the checkout. */
  readonly includeDirty: boolean;
  /** Whether each launch waits for a person's approval. */
  readonly approve: boolean;
  readonly sources: RunSources;
  readonly state: RepositoryState;
  readonly now: number;
}): Promise<NewRun> {
  const { git, facts, plan, state } = options;
  const commit = options.base === null ? facts.head : await resolveBase(git, options.base);
  if (commit === null) {
    return refuse(
      2,
      `There is no commit ${options.base} to start from.`,
      'Set base in the config to a branch or a commit.',
    );
  }
  const closed = await closedFolder(git);
  if (closed !== null) {
    return refuse(
      4,
      `You may not write in ${closed}, where git must put what the workers make.`,
      'Let yourself write there, or run as the user who may.',
    );
  }
  const { submodules, filters } = succeed(await unsupportedIn(git, commit));
  if (submodules.length > 0) {
    return refuse(
      2,
      `This repository has submodules (${some(submodules)}), whose files would be missing in every working tree: this version does not start there.`,
      null,
    );
  }
  if (filters.length > 0) {
    return refuse(
      2,
      `Git attributes send files of this repository through filters (${some(filters)}), which no working tree has: this version does not start there.`,
      null,
    );
  }
  const run = nextRunId([...state.runs.keys(), ...(await runsInRefs(git))], options.now);
  const integration = `czar/${run}-integration`;
  const names = [
    integration,
    ...plan.workers.flatMap((one) =>
      one.workspace === 'empty' ? [] : [one.branch ?? `czar/${run}/${one.id}`],
    ),
  ];
  const { branches } = succeed(await branchFacts(git, { names, base: commit }));
  const collision = branches.find((branch) => branch.collision !== null);
  if (collision !== undefined) {
    const { name } = collision;
    const next = 'Rename that branch, or give the worker another one (branch: …).';
    return { ...refuse(2, `${collision.collision}.`, next), branch: name };
  }
  const target = options.target ?? facts.branch;
  for (const branch of branches) {
    const why = ofTheUser(branch, { base: options.base, target, state });
    if (why !== null) {
      const what = `The branch ${branch.name} of a worker ${why}: czar would move it.`;
      const next = 'Give the worker another branch (branch: …), or none.';
      return { ...refuse(2, what, next), branch: branch.name };
    }
  }
  const ref = options.base ?? facts.branch ?? 'HEAD';
  const clean = { base: { ref, commit, dirty: facts.dirty.length }, leftOut: [] };
  const from =
    options.includeDirty && facts.dirty.length > 0
      ? await withChanges({ ...options, run, commit, ref })
      : clean;
  if ('ok' in from) return from;
  return {
    ok: true,
    request: {
      kind: 'start-run',
      checkout: relative(facts.commonDir, facts.gitDir),
      run,
      plan,
      base: from.base,
      integration,
      target,
      scope: options.scope,
      ...(options.approve ? { approve: true } : {}),
      ...(same(options.sources, noSources) ? {} : { sources: options.sources }),
    },
    leftOut: from.leftOut,
  };
}

/** The base with the uncommitted changes of the checkout on top. */
async function withChanges(of: {
  readonly git: GitContext;
  readonly facts: RepositoryFacts;
  readonly plan: Plan;
  readonly run: string;
  readonly ref: string;
  readonly commit: string;
}): Promise<
  | { readonly base: RunBase; readonly leftOut: Extract<NewRun, { ok: true }>['leftOut'] }
  | Extract<NewRun, { ok: false }>
> {
  const { facts, run, ref } = of;
  if (of.commit !== facts.head) {
    return refuse(
      2,
      `The run starts from ${ref}, which is not what is checked out: its uncommitted changes do not belong there.`,
      'Leave out --include-dirty, or check that out.',
    );
  }
  const taken = succeed(
    await takeSnapshot(of.git, {
      run,
      head: facts.head,
      gitDir: facts.gitDir,
      rules: {
        maxFileBytes: of.plan.policies.maxFileBytes,
        secretPatterns: defaultSecretPatterns,
      },
      identity: facts.identity,
    }),
  );
  if (taken.kind === 'unmerged') {
    return refuse(
      4,
      `${taken.files.join(', ')} in your checkout: conflicts are not settled.`,
      'Settle them, or leave out --include-dirty.',
    );
  }
  const { commit, files, leftOut } = taken;
  return { base: { ref, commit, dirty: leftOut.length, included: files.length }, leftOut };
}

/** Why a branch that is there is not for a worker to go on with; null when it is, or when there is none. */
function ofTheUser(
  { name, commit, ahead, behind, checkedOut }: BranchFacts,
  at: {
    readonly base: string | null;
    readonly target: string | null;
    readonly state: RepositoryState;
  },
): string | null {
  if (commit === null) return null;
  if (name === at.base) return 'is the base of the run';
  if (name === at.target) return 'is where the run lands';
  if (checkedOut) return 'is checked out';
  const ref = `refs/heads/${name}`;
  if ([...at.state.runs.values()].some((run) => run.published[ref] === commit)) return null;
  return ahead > 0 && behind === 0 ? null : 'exists and is not ahead of the base of the run';
}

/**
 * Ids of runs that branches and refs name: where the log was lost, these are all that is known of them, and another run
 * of that id would go on where they ended.
 */
async function runsInRefs(git: GitContext): Promise<readonly string[]> {
  const places = [
    inUserRepository(git),
    ...(existsSync(`${git.mirror}/HEAD`) ? [inMirror(git)] : []),
  ];
  const listed = await Promise.all(
    places.map((place) => listRefsIn(place, 'refs/heads/czar/', 'refs/czar/')),
  );
  return listed
    .flatMap((refs) => [...refs.keys()])
    .filter((ref) => !ref.startsWith(ofStarts))
    .flatMap((ref) => ref.match(/(?<!\d)\d{8}-\d{1,6}(?!\d)/g) ?? []);
}

/** Refs of a start that may have been refused or killed before there was a run. */
const ofStarts = 'refs/czar/snapshot/';

/** `<date>-<n>` in UTC, one more than the last of that day that is taken. */
function nextRunId(ids: readonly string[], now: number): string {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll('-', '');
  const taken = ids
    .filter((id) => id.startsWith(`${day}-`))
    .map((id) => Number(id.slice(day.length + 1)));
  return `${day}-${Math.max(0, ...taken) + 1}`;
}

async function resolveBase(git: GitContext, base: string): Promise<string | null> {
  const place = inUserRepository(git);
  for (const name of [`refs/heads/${base}`, `refs/tags/${base}`, `refs/remotes/${base}`, base]) {
    const found = await readRefIn(place, `${name}^{commit}`);
    if (found !== null) return found;
  }
  return null;
}

/** The first few of a list. */
function some(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')}, …`;
}

function refuse(
  exit: Rejection['exit'],
  what: string,
  next: string | null,
): Extract<NewRun, { ok: false }> {
  return { ok: false, rejection: { consequence: 'reject', exit, what, next } };
}
