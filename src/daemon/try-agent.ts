/**
 * Starts an agent once as an attempt is started, lets it write and commit a file in a scratch repository, and says what
 * worked. It spends what its agent spends.
 *
 * Owns a temporary folder, ports and the shim; all of it is gone when it returns. When this process dies, the watchdog
 * ends the agent at its time limit, and the folder stays.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { adapters } from '../agents/adapters.ts';
import { attemptFiles, writeAttemptFiles, type AttemptFiles } from '../agents/attempt-files.ts';
import { preferredPorts } from '../agents/environment.ts';
import { meterWords } from '../agents/metered-command.ts';
import { judgeEnd } from '../agents/judge-end.ts';
import type { AttemptEnd, Judgement, ProcessIdentity, Report } from '../core/events.ts';
import { permissionsOf } from '../core/permissions.ts';
import type { AgentDefinition, AttemptLimits, Policies } from '../core/plan.ts';
import { nobodyAsks, reportEvents } from '../core/report-event.ts';
import { noUsage, sum } from '../core/usage.ts';
import { checkRoot } from '../gates/check-environment.ts';
import { startAttempt } from '../process/attempt.ts';
import { followAttempt } from '../process/follow.ts';
import { Ports } from '../process/ports.ts';
import { Runners } from '../process/runners.ts';
import { attemptKey, endOf, endWithoutExit, markStopped, readStatus } from '../process/status.ts';
import { stopTree } from '../process/tree.ts';
import { redactorOf, redactTexts } from './redactions.ts';
import type { AgentTrialDocument } from '../report/agent-trial-schema.ts';
import { timestamp } from '../report/figures.ts';
import { readReports } from './attempt-reports.ts';
import { makeTrialRepository, trialPrompt, trialWork } from './trial-repository.ts';

export interface TrialOptions {
  readonly definition: AgentDefinition;
  /** Root of the user's repository: a program with a slash is taken from there. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly policies: Policies;
  readonly timeoutMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** How much later than this process the watchdog ends it, milliseconds. */
const slackMs = 3_000;
const noLimits: AttemptLimits = { processes: null, memoryBytes: null };
const of = { run: 'test', worker: 'test', attempt: 1 } as const;

/** What worked. Throws when the scratch repository cannot be made. */
export async function tryAgent(options: TrialOptions): Promise<AgentTrialDocument> {
  const base = await realpath(await mkdtemp(join(tmpdir(), 'czar-agents-test-')));
  const runners = new Runners(join(base, 'shims'));
  try {
    return await tryIn(base, runners, options);
  } finally {
    runners[Symbol.dispose]();
    await runners.rested();
    await rm(base, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function tryIn(
  base: string,
  runners: Runners,
  options: TrialOptions,
): Promise<AgentTrialDocument> {
  const { definition, policies } = options;
  const word = randomUUID();
  const tree = join(base, 'tree');
  const files = attemptFiles({ home: base, ...of });
  await makeTrialRepository(tree);
  const permissions = permissionsOf({ policies, workers: [] });
  writeAttemptFiles({
    home: base,
    files,
    prompt: trialPrompt(word),
    // Nobody looks at a trial's requests.
    permissions: { ...permissions, tree, afterMs: 0 },
  });
  const commitNeeded = permissions.policy !== 'edit';
  const from = performance.now();
  const done = await runIt({ runners, files, tree, prompt: trialPrompt(word) }, options);
  const known = { v: 1, agent: definition.name, adapter: definition.adapter } as const;
  const durationMs = Math.round(performance.now() - from);
  if ('failed' in done)
    return {
      ...known,
      ...nothing,
      error: done.failed,
      commit_needed: commitNeeded,
      duration_ms: durationMs,
    };
  const reports = await reportsOf(files, definition);
  const { judgement, lastWords } = judgeEnd(adapters[definition.adapter], files, {
    end: done.end,
    limits: noLimits,
    now: Date.now(),
  });
  const redact = redactorOf({ policies }, options.env);
  const { written, committed } = await trialWork(tree, word);
  const worked = written && (committed || !commitNeeded);
  return {
    ...known,
    ...toldIn(reports, definition.name),
    ok: worked && judgement.kind === 'well' && done.survivors === 0,
    started: true,
    error: done.survivors === 0 ? null : `${done.survivors} of its processes could not be ended`,
    said: lastWords.map(redact),
    written,
    committed,
    commit_needed: commitNeeded,
    judgement: judgementDocument(redactTexts(judgement, redact)),
    duration_ms: durationMs,
  };
}

/** Starts it, follows it to its end or its time limit, and ends whatever is left of it. */
async function runIt(
  at: {
    readonly runners: Runners;
    readonly files: AttemptFiles;
    readonly tree: string;
    readonly prompt: string;
  },
  { definition, root, env: baseEnv, policies, timeoutMs, signal }: TrialOptions,
): Promise<{ readonly failed: string } | { readonly end: AttemptEnd; readonly survivors: number }> {
  const { runners, files, tree, prompt } = at;
  const { attemptDir } = files;
  const ports = new Ports(join(dirname(checkRoot(baseEnv)), 'ports'));
  try {
    const { argv, env, own } = adapters[definition.adapter].start({
      ...files,
      ...of,
      worktree: tree,
      port: await ports.take(attemptDir, preferredPorts(attemptDir, 0)),
      definition,
      prompt,
      standing: null,
      session: null,
      model: null,
      permissions: permissionsOf({ policies, workers: [] }),
      gitDir: join(tree, '.git'),
      repository: root,
      baseEnv,
    });
    const started = await startAttempt(runners, {
      dir: attemptDir,
      argv,
      before: meterWords(definition),
      cwd: tree,
      env,
      own,
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

async function reportsOf(
  { attemptDir }: AttemptFiles,
  { adapter }: AgentDefinition,
): Promise<readonly Report[]> {
  const reports: Report[] = [];
  await readReports(attemptDir, {
    of,
    from: { reportOffset: 0, outputOffset: 0 },
    read: adapters[adapter].read,
    atEnd: true,
    report: async (outcome) => {
      if (outcome.kind === 'reports') reports.push(...outcome.reports);
    },
  });
  return reports;
}

/** Session, usage and denials as a run would count them. */
function toldIn(
  reports: readonly Report[],
  agent: string,
): Pick<AgentTrialDocument, 'session' | 'usage' | 'denied'> {
  const used = reportEvents(reports, { agent, price: null, used: noUsage, ...nobodyAsks }).flatMap(
    (event) => (event.type === 'worker.usage' ? [event.data] : []),
  );
  const { costUsd, ...tokens } = used.reduce(sum, noUsage);
  return {
    session: reports.findLast((one) => one.kind === 'session')?.id ?? null,
    usage: used.length === 0 ? null : { ...tokens, cost_usd: costUsd },
    denied: reports.flatMap((one) => (one.kind === 'denied' ? [`${one.tool}: ${one.detail}`] : [])),
  };
}

function judgementDocument(judgement: Judgement): AgentTrialDocument['judgement'] {
  const none = { reason: null, until: null, final: false };
  switch (judgement.kind) {
    case 'well':
      return { ...none, kind: 'well' };
    case 'quota': {
      const { reason, until } = judgement;
      return { ...none, kind: 'quota', reason, until: until === null ? null : timestamp(until) };
    }
    case 'failed':
      return { ...none, kind: 'failed', reason: judgement.reason, final: judgement.final };
    case 'lost':
      return { ...none, kind: 'lost', reason: judgement.why };
  }
}

const nothing = {
  ok: false,
  started: false,
  said: [],
  session: null,
  usage: null,
  written: false,
  committed: false,
  denied: [],
  judgement: null,
};
