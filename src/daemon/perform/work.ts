/** What an attempt left: brought home, measured against what its definition allows and promises. */
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Outcome } from '../../core/commands.ts';
import type { KeptWork, Report, Work } from '../../core/events.ts';
import type { Intent } from '../../core/intents.ts';
import { branchOf } from '../../core/schedule.ts';
import { definitionOf, type RunState, type WorkerState } from '../../core/state.ts';

import { judgeChange } from '../../gates/change-gates.ts';
import { judgeEmptyWorkspace } from '../../gates/empty-workspace.ts';
import { defaultSecretPatterns, type CaptureRules } from '../../git/collecting/capture.ts';
import { collect } from '../../git/collecting/collect.ts';
import { authorIn, markedAmong } from '../../git/collecting/czar-files.ts';
import { filesOf, missingPaths } from '../../git/facts.ts';
import { keepFiles } from '../../git/collecting/keep.ts';
import { compareResolution } from '../../git/merging/resolution.ts';
import { writtenMeanwhile } from '../../git/collecting/written-meanwhile.ts';
import { attemptKey } from '../../process/status.ts';
import { carriedInto } from './carried-list.ts';
import { stopTree } from '../../process/tree.ts';
import { drainReports } from './attempt-reports.ts';
import type { EffectContext } from '../loop.ts';
import { succeed } from './succeed.ts';
import { attemptDir, isolationOf, treeOf, type Workplace } from '../workplace.ts';

type Of<K extends Intent['kind']> = Extract<Intent, { kind: K }>;

const defaultMaxWorkBytes = 1_000_000_000;

/** Paths that one worker may change: they are named in the log, which must stay readable. */
const mostPaths = 250_000;

/** Which inputs of the worker's edges the integration tip does not have. */
export async function checkInputs(place: Workplace, intent: Of<'check-inputs'>): Promise<Outcome> {
  const { run, worker, commit, paths } = intent;
  const { paths: missing } = succeed(await missingPaths(place.git, { commit, paths }));
  return { kind: 'inputs-checked', run, worker, missing };
}

/** Ends what is left of the process tree, reads the last reports, then brings commits and files home. */
export async function collectWork(
  place: Workplace,
  intent: Of<'collect'>,
  context: EffectContext,
): Promise<Outcome> {
  const { run } = context;
  const worker = stateOf(run, intent.worker);
  const definition = definitionOf(run, intent.worker);
  const tree = treeOf(place, worker);
  await endRest(place, run, worker, intent);
  // A question or a blocker among its last words came after the intent: then what is open is kept, not committed.
  let waits = false;
  await drainReports(place, {
    run,
    worker,
    intent,
    report: async (outcome) => {
      waits ||= outcome.kind === 'reports' && outcome.reports.some(isStopWord);
      await context.report(outcome);
    },
  });
  if (tree === null) return { kind: 'collected', ...of(intent), work: null, kept: [] };
  if (definition.workspace === 'empty') {
    const kept = await keepFolder(place, run, worker, tree, intent);
    return { kind: 'collected', ...of(intent), work: null, kept };
  }
  const commitUncommitted = intent.commit === 'all' && !waits;
  const collected = succeed(
    await collect(place.git, {
      run: run.id,
      worker: intent.worker,
      attempt: intent.attempt,
      tree,
      repository: isolationOf(run).repository(place.git, tree),
      branch: worker.branch ?? branchOf(run, intent.worker),
      base: worker.attempt?.base ?? run.base.commit,
      integration: intent.integration,
      commitUncommitted,
      message: `${intent.worker}: work left uncommitted`,
      why: `left by attempt ${intent.attempt} of ${intent.worker} when it ended`,
      identity: place.identity,
      rules: captureRules(place, run, intent),
      most: {
        bytes: run.plan.policies.maxWorkBytes ?? defaultMaxWorkBytes,
        paths: mostPaths,
      },
      now: endOf(worker, place),
    }),
  );
  if (collected.kind === 'lost') {
    // The agent did not end well and its tree went with it: the next attempt begins with what was collected before.
    const judgement = worker.attempt?.judgement?.kind ?? 'well';
    if (judgement === 'well' || worker.submitted) throw new Error(collected.reason);
    return { kind: 'collected', ...of(intent), work: null, kept: [] };
  }
  const { work, notes } = collected;
  const strayed = worker.submitted ? [] : await writtenBeside(place, worker, work);
  return { kind: 'collected', ...of(intent), work, kept: [], notes: [...notes, ...strayed] };
}

/** Files that one sentence names. */
const filesNamed = 3;

/**
 * A sentence when the user's checkout was written to while the worker had nothing to show, or where it changed the same
 * file: an agent that takes the checkout for its tree. Nothing keeps it from that without a sandbox.
 */
async function writtenBeside(
  place: Workplace,
  { attempt }: WorkerState,
  { changed }: Work,
): Promise<readonly string[]> {
  if (attempt === null) return [];
  const paths = changed.length === 0 ? null : changed.map(({ path }) => path);
  const found = await writtenMeanwhile(place.git, { paths, since: attempt.startedAt });
  if ('kind' in found || found.length === 0) return [];
  const more = found.length - filesNamed;
  const named = `${found.slice(0, filesNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return [
    `while it worked ${named} changed in your checkout: by you, or by the agent, which nothing keeps in its tree`,
  ];
}

/** Ends what is left of an attempt's process tree; whether nothing is, so that its shim may have another attempt. */
export async function endRest(
  place: Workplace,
  run: RunState,
  worker: WorkerState,
  at: { readonly run: string; readonly worker: string; readonly attempt: number },
): Promise<boolean> {
  const dir = attemptDir(place, at);
  const { survivors } = await stopTree({
    marker: attemptKey(dir),
    // A person who submits may have programs of their own in the tree.
    roots: worker.submitted || worker.attempt?.process == null ? [] : [worker.attempt.process],
    worktree: worker.submitted ? null : treeOf(place, worker),
    attemptDir: dir,
    others: place.runners.besides(dir),
    graceMs: run.plan.policies.graceMs,
  });
  if (survivors.length === 0) {
    place.runners.release(dir);
    place.ports.release(dir);
  }
  return survivors.length === 0;
}

function isStopWord(report: Report): boolean {
  return report.kind === 'blocked' || (report.kind === 'ask' && report.wait === undefined);
}

/** How files of a tree are kept: size limit, secrets, and what czar carried in. */
export function captureRules(
  place: { readonly git: Pick<Workplace['git'], 'state' | 'home'> },
  run: RunState,
  at: { readonly worker: string; readonly attempt: number },
): CaptureRules {
  return {
    maxFileBytes: run.plan.policies.maxFileBytes,
    diskReserveBytes: run.plan.policies.diskReserveBytes,
    carried: carriedFiles(place, run, at.worker),
    secretPatterns: defaultSecretPatterns,
    // Below the state: what is not in git must survive a cleaning of the checkout.
    asideDir: join(place.git.state, 'aside', run.id, at.worker, String(at.attempt)),
  };
}

/** What czar carried into the worker's tree. */
function carriedFiles(
  { git: { home } }: { readonly git: Pick<Workplace['git'], 'home'> },
  run: RunState,
  worker: string,
): readonly string[] {
  const { copy, link } = definitionOf(run, worker);
  return [...copy, ...link, ...carriedInto({ home, run: run.id, worker })];
}

/** Deliverables, handoff, ownership and protect, on what git says was changed. */
export async function judge(
  place: Workplace,
  intent: Of<'judge'>,
  { run }: EffectContext,
): Promise<Outcome> {
  const worker = stateOf(run, intent.worker);
  const definition = definitionOf(run, intent.worker);
  const handoffGiven = worker.handoff !== null;
  if (worker.work === null) {
    const dir = treeOf(place, worker) ?? '';
    const verdicts = await judgeEmptyWorkspace({ definition, dir, handoffGiven });
    return { kind: 'judged', run: run.id, worker: intent.worker, verdicts };
  }
  const { files } = succeed(await filesOf(place.git, worker.work.tip));
  const gateCommands = gateCommandsOf(run);
  const base = gateCommands.length === 0 ? [] : await pathsOf(place, intent.integration);
  const touched = new Set(worker.work.changed.map(({ path }) => path));
  const changed = files.filter(({ path }) => touched.has(path));
  const marked = succeed(await markedAmong(place.git, changed));
  const verdicts = judgeChange({
    definition,
    policies: run.plan.policies,
    home: relative(place.git.root, place.git.home),
    work: worker.work,
    files,
    baseFiles: base,
    approvals: worker.approvals,
    carried: carriedFiles(place, run, intent.worker),
    marked: marked.paths,
    handoffGiven,
    gateCommands,
  });
  const resolved = await resolution(place, worker, intent.integration);
  return { kind: 'judged', run: run.id, worker: intent.worker, verdicts, ...resolved };
}

async function pathsOf({ git }: Workplace, commit: string): Promise<readonly string[]> {
  return succeed(await filesOf(git, commit)).files.map(({ path }) => path);
}

/** What a worker that was sent back with a conflict did with the lines of others. */
async function resolution(
  place: Workplace,
  { conflicted, work }: WorkerState,
  integration: string,
): Promise<Pick<Extract<Outcome, { kind: 'judged' }>, 'resolved'>> {
  if (conflicted === null || work === null || conflicted === work.tip) return {};
  const of = { was: conflicted, tip: work.tip, integration };
  const found = succeed(await compareResolution(place.git, of));
  if (found.kind === 'none') return {};
  return { resolved: { onto: found.onto, removed: found.removed } };
}

/** Every command that judges a tree of this run: whoever changes a file that one of them names changes a gate. */
function gateCommandsOf({ plan }: RunState): readonly string[] {
  const { checks, setup } = plan.policies;
  return [
    ...new Set([
      ...checks,
      ...setup,
      ...plan.workers.flatMap((one) => [...one.verify, ...one.setup]),
    ]),
  ];
}

/** The worker of the run; one that is not of it is a bug. */
export function stateOf(run: RunState, id: string): WorkerState {
  const worker = run.workers.get(id);
  if (worker === undefined) throw new Error(`no worker ${id} in run ${run.id}`);
  return worker;
}

async function keepFolder(
  place: Workplace,
  run: RunState,
  worker: WorkerState,
  dir: string,
  intent: Of<'collect'>,
): Promise<readonly KeptWork[]> {
  const entries = await readdir(dir).catch(() => []);
  if (entries.every((name) => authorIn(dir, name) === 'czar')) return [];
  const { kept } = succeed(
    await keepFiles(place.git, {
      run: run.id,
      worker: worker.id,
      dir,
      identity: place.identity,
      why: `files of attempt ${intent.attempt} of ${worker.id}`,
      rules: captureRules(place, run, intent),
      now: endOf(worker, place),
    }),
  );
  return kept === null ? [] : [kept];
}

/** The time that commits of this work carry: the same when it is collected again, so that they are the same commits. */
function endOf(worker: WorkerState, place: Workplace): number {
  if (worker.submitted) return worker.since;
  return worker.attempt?.endedAt ?? place.now();
}

function of(intent: Of<'collect'>): {
  readonly run: string;
  readonly worker: string;
  readonly attempt: number;
} {
  return { run: intent.run, worker: intent.worker, attempt: intent.attempt };
}
