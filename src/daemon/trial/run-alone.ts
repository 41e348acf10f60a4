/**
 * One agent, started as an attempt is started, outside of any run: for this process, which waits for it. Whatever is left
 * of it is ended; when this process dies, the watchdog ends the agent at its time limit.
 */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { adapters } from '../../agents/adapters.ts';
import type { AttemptFiles } from '../../agents/attempt-files.ts';
import { preferredPorts } from '../../agents/environment.ts';
import { meterWords } from '../../agents/metered-command.ts';
import type { AttemptEnd, ProcessIdentity, Report } from '../../core/events.ts';
import type { AgentDefinition, AttemptLimits, Permissions, Policies } from '../../core/plan.ts';
import { nobodyAsks, reportEvents } from '../../core/decide/report-event.ts';
import { noUsage, sum } from '../../core/usage.ts';
import { checkRoot } from '../../gates/check-environment.ts';
import { startAttempt } from '../../process/attempt.ts';
import { followAttempt } from '../../process/follow.ts';
import { Ports } from '../../process/ports.ts';
import { Runners } from '../../process/runners.ts';
import {
  attemptKey,
  endOf,
  endWithoutExit,
  markStopped,
  readStatus,
} from '../../process/status.ts';
import { stopTree } from '../../process/tree.ts';
import { readReports } from '../perform/attempt-reports.ts';
import { homeOf } from '../perform/own-home.ts';

export interface AloneOptions {
  readonly definition: AgentDefinition;
  /** Root of the user's repository: a program with a slash is taken from there. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly policies: Policies;
  readonly timeoutMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Tokens and money; null when it told none. */
export type AloneUsage = {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly cost_usd: number;
} | null;

/** A temporary folder with a shim for one agent; both are gone when this returns. Throws when it cannot be made. */
export async function inOwnFolder<T>(
  prefix: string,
  act: (base: string, runners: Runners) => Promise<T>,
): Promise<T> {
  const base = await realpath(await mkdtemp(join(tmpdir(), prefix)));
  const runners = new Runners(join(base, 'shims'));
  try {
    return await act(base, runners);
  } finally {
    runners[Symbol.dispose]();
    await runners.rested();
    await rm(base, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What it is called where a run would name it. */
export const alone = { run: 'test', worker: 'test', attempt: 1 } as const;

/** How much later than this process the watchdog ends it, milliseconds. */
const slackMs = 3_000;
export const noLimits: AttemptLimits = { processes: null, memoryBytes: null };

/** Starts it, follows it to its end or its time limit, and ends whatever is left of it. */
export async function runAlone(
  at: {
    readonly runners: Runners;
    readonly files: AttemptFiles;
    /** Where it works: a repository of its own. */
    readonly tree: string;
    readonly prompt: string;
    readonly permissions: Permissions;
  },
  { definition, root, env: userEnv, policies, timeoutMs, signal }: AloneOptions,
): Promise<{ readonly failed: string } | { readonly end: AttemptEnd; readonly survivors: number }> {
  const { runners, files, tree, prompt } = at;
  const { attemptDir } = files;
  const ports = new Ports(join(dirname(checkRoot(userEnv)), 'ports'));
  try {
    const home = await homeOf(definition, { attemptDir, env: userEnv });
    if ('problem' in home) return { failed: home.problem };
    const { argv, env, own } = adapters[definition.adapter].start({
      ...files,
      ...alone,
      worktree: tree,
      port: await ports.take(attemptDir, preferredPorts(attemptDir, 0)),
      definition,
      prompt,
      standing: null,
      session: null,
      model: null,
      permissions: at.permissions,
      gitDir: join(tree, '.git'),
      repository: root,
      baseEnv: home.baseEnv,
    });
    const started = await startAttempt(runners, {
      dir: attemptDir,
      argv,
      before: meterWords(definition),
      cwd: tree,
      env,
      own: { ...own, ...home.own },
      limits: noLimits,
      timeoutMs: timeoutMs + slackMs,
      unattendedMs: timeoutMs + slackMs,
      graceMs: policies.graceMs,
    });
    if ('failed' in started) return started;
    runners.guard(attemptDir);
    const endsItsOwn = adapters[definition.adapter].endsItsOwn === true;
    return await endedOf(started.started, { ...at, policies, timeoutMs, endsItsOwn, signal });
  } catch (error) {
    // A shim that hung may have begun: nothing of it stays.
    const query = { marker: attemptKey(attemptDir), roots: [], worktree: tree, attemptDir };
    await stopTree({ ...query, graceMs: policies.graceMs });
    return { failed: error instanceof Error ? error.message : String(error) };
  } finally {
    runners.release(attemptDir);
    ports.release(attemptDir);
  }
}

async function endedOf(
  agent: ProcessIdentity,
  at: {
    readonly runners: Runners;
    readonly files: AttemptFiles;
    readonly tree: string;
    readonly policies: Policies;
    readonly timeoutMs: number;
    readonly endsItsOwn: boolean;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly end: AttemptEnd; readonly survivors: number }> {
  const { attemptDir } = at.files;
  const timeout = AbortSignal.timeout(at.timeoutMs);
  const end = await followAttempt({
    dir: attemptDir,
    process: agent,
    signal: AbortSignal.any([at.signal, timeout]),
    onActivity: () => {},
    runners: at.runners,
  });
  // An exit that is on record is its own.
  if (end === null && readStatus(attemptDir).kind !== 'exited')
    markStopped(attemptDir, at.signal.aborted ? 'interrupted' : 'timeout');
  const { survivors } = await stopTree({
    marker: attemptKey(attemptDir),
    roots: [agent],
    worktree: at.tree,
    attemptDir,
    leader: at.endsItsOwn ? agent : null,
    graceMs: at.policies.graceMs,
  });
  if (end !== null) return { end, survivors: survivors.length };
  const status = readStatus(attemptDir);
  const how =
    status.kind === 'exited'
      ? endOf(attemptDir, status)
      : endWithoutExit(attemptDir, 'it was stopped');
  return { end: how, survivors: survivors.length };
}

/** Everything that it has reported. */
export async function reportsOf(
  { attemptDir }: AttemptFiles,
  { adapter }: AgentDefinition,
): Promise<readonly Report[]> {
  const reports: Report[] = [];
  await readReports(attemptDir, {
    of: alone,
    from: { reportOffset: 0, outputOffset: 0 },
    read: adapters[adapter].read,
    atEnd: true,
    report: async (outcome) => {
      if (outcome.kind === 'reports') reports.push(...outcome.reports);
    },
  });
  return reports;
}

/** What it used, as a run would count it. */
export function usageIn(reports: readonly Report[], agent: string): AloneUsage {
  const used = reportEvents(reports, { agent, price: null, used: noUsage, ...nobodyAsks }).flatMap(
    (event) => (event.type === 'worker.usage' ? [event.data] : []),
  );
  const { costUsd, ...tokens } = used.reduce(sum, noUsage);
  return used.length === 0 ? null : { ...tokens, cost_usd: costUsd };
}
