/**
 * An attempt's effects: its tree, its setup, its launch under the shim, following it, stopping it. From the launch on
 * the records in the attempt's folder say what is true; a loop that comes later finds the same.
 */
import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { start } from '../agents/command.ts';
import {
  makeGeneratedFolder,
  writeAttemptFiles,
  type AttemptFiles,
} from '../agents/attempt-files.ts';
import { briefing } from '../context/briefing.ts';
import { workerIdentity } from '../context/identity.ts';
import { workerPrompt } from '../context/prompt.ts';
import { attemptLimitsOf } from '../core/attempt-limits.ts';
import type { Outcome } from '../core/commands.ts';
import { setupOf } from '../core/grant.ts';
import type { Intent } from '../core/intents.ts';
import { positionOf } from '../core/order.ts';
import { definitionOf, type RunState } from '../core/state.ts';
import { checkMark } from '../gates/leftovers.ts';
import { judgeFolder } from '../gates/tree-gates.ts';
import { topLevel } from '../git/worktree.ts';
import { startAttempt } from '../process/attempt.ts';
import { followAttempt, recoverAttempt } from '../process/follow.ts';
import { bootId } from '../process/identity.ts';
import {
  attemptKey,
  endWithoutExit,
  markStopped,
  readStatus,
  readStopped,
  endOf,
  voidAttempt,
} from '../process/status.ts';
import { stopTree } from '../process/tree.ts';
import { attemptOf, ended, filesOf, leftNothing } from './attempt-end.ts';
import { readReports, type ReadSoFar } from './attempt-reports.ts';
import { madeFolder, makeEmptyFolder } from './empty-folder.ts';
import { writeIdentity } from './identity-file.ts';
import { keepWatched } from './keep-watched.ts';
import type { EffectContext, Performed } from './loop.ts';
import { stateOf } from './perform-work.ts';
import { isolationOf, treeOf, type Workplace } from './workplace.ts';
import { watchUse } from './watch-use.ts';
import { watchStall } from './watch-stall.ts';

type Of<K extends Intent['kind']> = Extract<Intent, { kind: K }>;
type AttemptIntent = Extract<Intent, { attempt: number }>;

/** How much later than the loop the watchdog ends an attempt at its time limit, milliseconds. */
const watchdogSlackMs = 10_000;

/** Runs the commands that prepare the worker's tree; copies and links come with the tree. */
export async function setUp(
  place: Workplace,
  intent: Of<'setup'>,
  context: EffectContext,
): Promise<Outcome | null> {
  const { run, signal } = context;
  const commands = setupOf(run, intent.worker);
  const tree = treeOf(place, stateOf(run, intent.worker));
  if (commands.length === 0 || tree === null) return { kind: 'setup-passed', ...attemptOf(intent) };
  const { policies } = run.plan;
  const files = filesOf(place, intent);
  const tmp = join(files.attemptDir, 'setup-tmp');
  makeGeneratedFolder(join(place.git.home, 'runs'));
  await mkdir(tmp, { recursive: true, mode: 0o700 });
  const outcome = await judgeFolder({
    id: 'setup',
    tree: '',
    gates: [{ gate: 'verify', command: 'true', setup: commands, owner: intent.worker }],
    dir: tree,
    tmp,
    env: place.env,
    mark: checkMark(place.git.state),
    timeoutMs: policies.checkTimeoutMs,
    graceMs: policies.graceMs,
    logs: { dir: files.attemptDir, home: place.git.home },
    signal,
  });
  if (outcome.kind === 'aborted') return null;
  if (outcome.kind === 'no-tree') throw new Error(outcome.error);
  const [verdict] = outcome.verdicts;
  if (verdict?.result === 'pass') return { kind: 'setup-passed', ...attemptOf(intent) };
  return { kind: 'setup-failed', ...attemptOf(intent), findings: verdict?.findings ?? [] };
}

/** Starts the program under the shim, or finds what became of a start that an earlier loop began. */
export async function launch(
  place: Workplace,
  intent: Of<'launch'>,
  context: EffectContext,
): Promise<Outcome> {
  const { run } = context;
  const files = filesOf(place, intent);
  if (context.recovering || readStatus(files.attemptDir).kind !== 'none') {
    const found = await recoveredLaunch(intent, files, context);
    return found.kind === 'launched' ? { ...found, ...madeFolder(place, run, intent) } : found;
  }
  const worker = stateOf(run, intent.worker);
  const tree = treeOf(place, worker) ?? makeEmptyFolder(place, run, intent.worker);
  const problem = await misplaced(run, intent, tree);
  if (problem !== null) throw new Error(problem);
  const definition = definitionOf(run, intent.worker);
  const { agents } = run.plan;
  const { name } = definition.agent;
  const agent = Object.hasOwn(agents, name) ? agents[name] : undefined;
  if (agent === undefined) {
    return {
      kind: 'launch-failed',
      ...attemptOf(intent),
      error: `there is no agent named ${definition.agent.name}`,
      final: true,
    };
  }
  const prompt = brief(place, intent, context, tree);
  const { argv, env, own } = start({
    ...files,
    run: run.id,
    worker: intent.worker,
    attempt: intent.attempt,
    worktree: tree,
    slot: positionOf(run.plan, intent.worker),
    definition: agent,
    prompt,
    repository: place.git.root,
    baseEnv: place.env,
  });
  await place.git.point?.('launch:before-spawn');
  const { policies } = run.plan;
  const started = await startAttempt(place.runners, {
    dir: files.attemptDir,
    argv,
    cwd: tree,
    env,
    own,
    limits: attemptLimitsOf(definition),
    timeoutMs: definition.timeoutMs === null ? null : definition.timeoutMs + watchdogSlackMs,
    unattendedMs: policies.unattendedMs,
    graceMs: policies.graceMs,
  });
  await place.git.point?.('launch:after-spawn');
  if ('started' in started) {
    const made = worker.worktree === null ? { worktree: relative(place.git.root, tree) } : {};
    return { kind: 'launched', ...attemptOf(intent), process: started.started, ...made };
  }
  return {
    kind: 'launch-failed',
    ...attemptOf(intent),
    error: started.failed,
    final: started.final,
  };
}

/**
 * Follows a live attempt: reports as they come, then its end, and what follows from an end that left nothing. Null when
 * the following was ended, not the attempt.
 */
export async function watch(
  place: Workplace,
  intent: Of<'watch'>,
  context: EffectContext,
): Promise<Performed> {
  const { run, signal, report } = context;
  const files = filesOf(place, intent);
  const { attempt } = stateOf(run, intent.worker);
  if (attempt?.process == null)
    throw new Error(`attempt ${intent.attempt} of ${intent.worker} has no process`);
  const watched = keepWatched(place, files, run.plan.policies.unattendedMs);
  const reader = reportReader(place, intent, attempt, report);
  const stalls = restartWhenStalled(place, intent, context);
  const limited = endWhenOver(place, intent, context);
  try {
    const end = await followAttempt({
      dir: files.attemptDir,
      process: attempt.process,
      signal,
      onActivity: () => reader.look(),
      runners: place.runners,
    });
    // What was reported last may have come without a change that was seen.
    reader.look();
    await reader.rest();
    if (end === null) return null;
    const outcome = ended(run, intent, files, end);
    return (
      (await leftNothing(place, intent, context, { outcome, spoke: reader.finish })) ?? outcome
    );
  } finally {
    watched[Symbol.dispose]();
    stalls?.[Symbol.dispose]();
    limited?.[Symbol.dispose]();
  }
}

/** Tells the loop when the attempt stalls, where that is to end it; null where it is not. */
function restartWhenStalled(
  place: Workplace,
  intent: Of<'watch'>,
  { run, report }: EffectContext,
): Disposable | null {
  const { stall } = definitionOf(run, intent.worker);
  if (stall?.restart !== true) return null;
  const silentMs = stall.afterMs;
  return watchStall({
    attemptDir: filesOf(place, intent).attemptDir,
    tree: treeOf(place, stateOf(run, intent.worker)),
    afterMs: silentMs,
    // A log that cannot be written stops the loop itself; the next one watches anew.
    stalled: () => void report({ kind: 'stalled', ...attemptOf(intent), silentMs }).catch(() => {}),
  });
}

/** Tells the loop when the attempt is over a limit, which ends it; null where there is none. */
function endWhenOver(
  place: Workplace,
  intent: Of<'watch'>,
  { run, report }: EffectContext,
): Disposable | null {
  const limits = attemptLimitsOf(definitionOf(run, intent.worker));
  if (limits.processes === null && limits.memoryBytes === null) return null;
  return watchUse({
    attemptDir: filesOf(place, intent).attemptDir,
    limits,
    meter: place.meter,
    over: (limit) =>
      void report({ kind: 'over-limit', ...attemptOf(intent), limit }).catch(() => {}),
  });
}

/** Ends the whole process tree of an attempt and says how it ended. */
export async function stopAttempt(
  place: Workplace,
  intent: Of<'stop'>,
  { run }: EffectContext,
): Promise<Outcome> {
  const files = filesOf(place, intent);
  const worker = stateOf(run, intent.worker);
  makeGeneratedFolder(join(place.git.home, 'runs'));
  await mkdir(files.attemptDir, { recursive: true, mode: 0o700 });
  // What was never claimed is claimed here, so that it never starts.
  if (readStatus(files.attemptDir).kind === 'none') voidAttempt(files.attemptDir);
  // An exit that is on record is the attempt's own, whatever is asked now.
  if (readStatus(files.attemptDir).kind !== 'exited') markStopped(files.attemptDir, intent.why);
  const { survivors } = await stopTree({
    marker: attemptKey(files.attemptDir),
    roots: worker.attempt?.process == null ? [] : [worker.attempt.process],
    worktree: treeOf(place, worker),
    attemptDir: files.attemptDir,
    graceMs: isOver(files.attemptDir) ? 0 : run.plan.policies.graceMs,
  });
  if (survivors.length > 0) throw new Error(`${survivors.length} processes could not be ended`);
  const status = readStatus(files.attemptDir);
  const end =
    status.kind === 'exited'
      ? endOf(files.attemptDir, status)
      : endWithoutExit(files.attemptDir, 'it was stopped');
  return ended(run, intent, files, end);
}

/** Whether it is ended for what it uses of the machine: then at once. */
function isOver(dir: string): boolean {
  const why = readStopped(dir);
  return why === 'processes' || why === 'memory';
}

async function recoveredLaunch(
  intent: Of<'launch'>,
  files: AttemptFiles,
  { run, signal }: EffectContext,
): Promise<Outcome> {
  const found = await recoverAttempt({ dir: files.attemptDir, boot: '', signal });
  switch (found.kind) {
    case 'running':
      return { kind: 'launched', ...attemptOf(intent), process: found.process };
    case 'never-started':
      return ended(run, intent, files, {
        how: 'lost',
        why: 'czar ended while it was being started',
      });
    case 'ended':
    case 'unknown-exit': {
      // It ran: it is active in the log before it has ended there.
      const status = readStatus(files.attemptDir);
      const agent = 'agent' in status ? status.agent : null;
      if (agent === null) return ended(run, intent, files, found.end);
      return { kind: 'launched', ...attemptOf(intent), process: { ...agent, boot: bootId() } };
    }
  }
}

/** Writes prompt, identity file and programs; gives the prompt. */
function brief(
  place: Workplace,
  intent: Of<'launch'>,
  { run }: EffectContext,
  tree: string,
): string {
  const files = filesOf(place, intent);
  const worker = stateOf(run, intent.worker);
  const facts = briefing(run, intent.worker, {
    attempt: intent.attempt,
    continues: worker.attempt?.continues ?? false,
    tree,
    branch: worker.branch,
    promptFile: files.promptFile,
    shellFile: files.shellFile,
  });
  const prompt = workerPrompt(facts);
  writeAttemptFiles({ home: place.git.home, files, prompt });
  const { identityFile } = isolationOf(run);
  const linksFrom = dirname(join(tree, identityFile));
  const identity = workerIdentity({ ...facts, place: { ...facts.place, linksFrom } });
  writeIdentity(tree, identityFile, identity);
  return prompt;
}

/** Why the program must not start where it would: git there would find another repository. */
async function misplaced(
  run: RunState,
  intent: Of<'launch'>,
  tree: string,
): Promise<string | null> {
  const wanted = definitionOf(run, intent.worker).workspace === 'empty' ? null : tree;
  // Git looks no higher than the folder itself (GIT_CEILING_DIRECTORIES): one without these holds no repository.
  const names = wanted === null ? readdirSync(tree) : [];
  if (wanted === null && !names.includes('.git') && !names.includes('HEAD')) return null;
  const top = await topLevel(tree);
  if (top === wanted) return null;
  return wanted === null
    ? `git finds a repository around ${tree}`
    : `git does not see ${tree} as a repository of its own`;
}

interface ReportReader {
  /** Reads on soon; a look that comes while one is under way makes it look again. */
  readonly look: () => void;
  /** Resolves when everything that was to be read is durable. */
  readonly rest: () => Promise<void>;
  /** Reads what is left, a last line that does not end too; whether the attempt ever said anything. */
  readonly finish: () => Promise<boolean>;
}

function reportReader(
  place: Workplace,
  intent: AttemptIntent,
  from: ReadSoFar,
  report: (outcome: Outcome) => Promise<void>,
): ReportReader {
  let at: ReadSoFar = { reportOffset: from.reportOffset, outputOffset: from.outputOffset };
  let spoke = at.reportOffset > 0 || at.outputOffset > 0;
  let busy = Promise.resolve();
  let again = false;
  const read = async (atEnd: boolean): Promise<void> => {
    at = await readReports(place, {
      of: attemptOf(intent),
      from: at,
      atEnd,
      report: async (outcome) => {
        spoke = true;
        await report(outcome);
      },
    });
  };
  const look = (): void => {
    if (again) return;
    again = true;
    busy = busy.then(async () => {
      again = false;
      await read(false);
    });
    // A failure is reported by `rest`, which everyone awaits.
    busy.catch(() => {});
  };
  const finish = async (): Promise<boolean> => {
    await busy;
    await read(true);
    return spoke;
  };
  return { look, rest: () => busy, finish };
}
