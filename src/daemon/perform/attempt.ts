/** An attempt's effects around its launch: setup of its tree, following it, stopping it. */
import { join } from 'node:path';
import { makeWithinHome } from '../../process/generated-folder.ts';
import { attemptLimitsOf } from '../../core/attempt-limits.ts';
import type { Outcome } from '../../core/commands.ts';
import { setupOf } from '../../core/schedule/grant.ts';
import type { Intent } from '../../core/intents.ts';
import { definitionOf, type RunState } from '../../core/state.ts';
import { checkMark } from '../../gates/leftovers.ts';
import { judgeFolder } from '../../gates/tree-gates.ts';
import { followAttempt } from '../../process/follow.ts';
import {
  attemptKey,
  endWithoutExit,
  readStatus,
  readStopped,
  endOf,
} from '../../process/status.ts';
import { stopTree } from '../../process/tree.ts';
import { adapterOf } from './agent-of.ts';
import { attemptOf, ended, filesOf, leftNothing } from './attempt-end.ts';
import { readReports, type ReadSoFar } from './attempt-reports.ts';
import { keepWatched } from './keep-watched.ts';
import { noteStop } from './note-stop.ts';
import type { EffectContext, Performed } from '../loop.ts';
import { stateOf } from './work.ts';
import { redactorOf } from '../redactions.ts';
import { treeOf, type Workplace } from '../workplace.ts';
import { watchUse } from './watch-use.ts';
import { watchStall } from './watch-stall.ts';

type Of<K extends Intent['kind']> = Extract<Intent, { kind: K }>;
type AttemptIntent = Extract<Intent, { attempt: number }>;

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
  makeWithinHome(place.git.home, tmp);
  const outcome = await judgeFolder({
    id: 'setup',
    tree: '',
    gates: [{ gate: 'verify', command: 'true', setup: commands, owner: intent.worker }],
    setupStays: true,
    dir: tree,
    tmp,
    env: place.env,
    mark: checkMark(place.git.state),
    timeoutMs: policies.checkTimeoutMs,
    graceMs: policies.graceMs,
    logs: {
      dir: files.attemptDir,
      home: place.git.home,
      redact: redactorOf(context.run.plan, place.env),
    },
    signal,
  });
  if (outcome.kind === 'aborted') return null;
  if (outcome.kind === 'no-tree') throw new Error(outcome.error);
  const [verdict] = outcome.verdicts;
  if (verdict?.result === 'pass') return { kind: 'setup-passed', ...attemptOf(intent) };
  return { kind: 'setup-failed', ...attemptOf(intent), findings: verdict?.findings ?? [] };
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
  const reader = reportReader(place, run, intent, attempt, report);
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
    const worker = stateOf(run, intent.worker);
    const rest = await leftNothing(place, intent, { run, worker, outcome, spoke: reader.finish });
    return rest ?? outcome;
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
  noteStop(place, files.attemptDir, intent.why);
  const { survivors } = await stopTree({
    marker: attemptKey(files.attemptDir),
    roots: worker.attempt?.process == null ? [] : [worker.attempt.process],
    worktree: treeOf(place, worker),
    attemptDir: files.attemptDir,
    leader:
      adapterOf(run, intent.worker).endsItsOwn === true ? (worker.attempt?.process ?? null) : null,
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
  run: RunState,
  intent: AttemptIntent,
  from: ReadSoFar,
  report: (outcome: Outcome) => Promise<void>,
): ReportReader {
  let at: ReadSoFar = { reportOffset: from.reportOffset, outputOffset: from.outputOffset };
  let spoke = at.reportOffset > 0 || at.outputOffset > 0;
  let busy = Promise.resolve();
  let again = false;
  const read = async (atEnd: boolean): Promise<void> => {
    at = await readReports(filesOf(place, intent).attemptDir, {
      of: attemptOf(intent),
      read: adapterOf(run, intent.worker).read,
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
