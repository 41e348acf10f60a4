/**
 * A review by an agent: the program under a shim as an attempt's is, in a clean checkout of its own, read-only as far as
 * the agent can be told so. It is no attempt: it has its own folder, `runs/<run>/<worker>/review-<n>`, and its verdict
 * is what it said.
 *
 * Like an attempt it outlives its loop: the next one follows it by the records in its folder.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { adapters } from '../../agents/adapters.ts';
import { lastOutput, writeAttemptFiles, type AttemptFiles } from '../../agents/attempt-files.ts';
import { preferredPorts } from '../../agents/environment.ts';
import { meterWords } from '../../agents/metered-command.ts';
import { judgeEnd } from '../../agents/judge-end.ts';
import { verdictIn } from '../../agents/review-verdict.ts';
import { reviewPrompt } from '../../context/review-prompt.ts';
import type { Outcome } from '../../core/commands.ts';
import type { ReviewerSaid } from '../../core/events.ts';
import type { AttemptEnd, ProcessIdentity, Report, Usage } from '../../core/events.ts';
import type { Intent } from '../../core/intents.ts';
import { readOnly } from '../../core/permissions.ts';
import type { AgentDefinition, AttemptLimits } from '../../core/plan.ts';
import { definitionOf, type RunState } from '../../core/state.ts';
import { nobodyAsks, reportEvents } from '../../core/decide/report-event.ts';
import { quotaEnd } from '../../core/schedule/quota-wait.ts';
import { noUsage, sum } from '../../core/usage.ts';
import { checkTree, removeCheckTree } from '../../git/trees/check-tree.ts';
import { reach } from '../../git/context.ts';
import { difference } from '../../git/facts.ts';
import { removeFolder } from '../../git/trees/remove-folder.ts';
import { startAttempt } from '../../process/attempt.ts';
import { followAttempt, recoverAttempt } from '../../process/follow.ts';
import { makeWithinHome } from '../../process/generated-folder.ts';
import { attemptKey, readBoot, readStatus } from '../../process/status.ts';
import { stopTree } from '../../process/tree.ts';
import { reviewFiles } from './attempt-end.ts';
import { readReports } from './attempt-reports.ts';
import { keepWatched } from './keep-watched.ts';
import { noteStop } from './note-stop.ts';
import type { EffectContext } from '../loop.ts';
import { homeOf } from './own-home.ts';
import { redactorOf } from '../redactions.ts';
import { succeed } from './succeed.ts';
import { checkPool, type Workplace } from '../workplace.ts';

type Review = Extract<Intent, { kind: 'review' }>;
type EndReview = Extract<Intent, { kind: 'end-review' }>;

/** Bytes of a diff that stand in the prompt; a longer one is read with git. */
const diffBytes = 100_000;
/** Bytes of output in which the verdict is looked for. */
const outputBytes = 1024 * 1024;
const noLimits: AttemptLimits = { processes: null, memoryBytes: null };
/** How much later than the loop the watchdog ends it, milliseconds. */
const slackMs = 10_000;

/** Starts the review, or takes up one that goes on; gives what it said. Null when the following was ended. */
export async function review(
  place: Workplace,
  intent: Review,
  context: EffectContext,
): Promise<Outcome | null> {
  const { run, signal } = context;
  const agent = agentNamed(context, intent.reviewer);
  if (agent === null) return over(intent, none(`there is no agent named ${intent.reviewer}`), null);
  const files = reviewFiles(place, intent);
  makeWithinHome(place.git.home, files.attemptDir);
  const found = await begun(place, { intent, files, agent }, context);
  if ('said' in found) {
    await removeTree(place, intent);
    return over(intent, found.said, null);
  }
  const timeoutMs = limitOf(run, intent);
  const timeout = AbortSignal.timeout(timeoutMs);
  const watched = keepWatched(place, files, run.plan.policies.unattendedMs);
  try {
    const end =
      'end' in found
        ? found.end
        : await followAttempt({
            dir: files.attemptDir,
            process: found.process,
            signal: AbortSignal.any([signal, timeout]),
            onActivity: () => {},
            runners: place.runners,
          });
    if (end === null && signal.aborted) return null;
    await endTree(place, files, context);
    const usage = await usageOf(files, agent);
    if (end === null)
      return over(intent, none(`it took longer than ${timeoutMs / 1_000} s`), usage);
    return over(intent, saidBy(files, agent, end), usage);
  } finally {
    watched[Symbol.dispose]();
    // One that goes on keeps its tree.
    if (!signal.aborted) await removeTree(place, intent);
  }
}

/** Ends a review that nobody waits for; what it used counts. */
export async function endReview(
  place: Workplace,
  intent: EndReview,
  context: EffectContext,
): Promise<Outcome> {
  const files = reviewFiles(place, intent);
  noteStop(place, files.attemptDir, 'requested');
  await reach(place.git, 'review:before-end');
  await endTree(place, files, context);
  await reach(place.git, 'review:after-end');
  const agent = agentNamed(context, intent.reviewer);
  const usage = agent === null ? null : await usageOf(files, agent);
  await removeTree(place, intent);
  const said = { kind: 'none', reason: 'it was stopped', notBefore: null, counts: false } as const;
  return over(intent, said, usage);
}

type Begun =
  | { readonly process: ProcessIdentity }
  | { readonly end: AttemptEnd }
  | { readonly said: ReviewerSaid };

async function begun(
  place: Workplace,
  at: { readonly intent: Review; readonly files: AttemptFiles; readonly agent: AgentDefinition },
  context: EffectContext,
): Promise<Begun> {
  const { attemptDir } = at.files;
  if (!context.recovering && readStatus(attemptDir).kind === 'none')
    return begin(place, at, context);
  const found = await recoverAttempt({ dir: attemptDir, boot: '', signal: context.signal });
  switch (found.kind) {
    case 'running':
      return { process: found.process };
    case 'never-started':
      return { said: { ...none('czar ended while it was being started'), counts: false } };
    case 'ended':
    case 'unknown-exit':
      return { end: found.end };
  }
}

async function begin(
  place: Workplace,
  {
    intent,
    files,
    agent,
  }: { readonly intent: Review; readonly files: AttemptFiles; readonly agent: AgentDefinition },
  { run }: EffectContext,
): Promise<Begun> {
  const { worker, n, tip, integration } = intent;
  const tree = treeOf(place, intent);
  const made = await checkTree(place.git, { commit: tip, dir: tree, pool: checkPool(place) });
  if (made.kind !== 'ready') throw new Error(made.error);
  const changed = succeed(
    await difference(place.git, { from: integration, to: tip, text: true, width: 120 }),
  );
  const diff = changed.text ?? '';
  const key = randomUUID();
  const prompt = redactorOf(
    run.plan,
    place.env,
  )(
    reviewPrompt({
      run,
      worker,
      from: integration,
      tip,
      diff: diff.length > diffBytes ? null : diff,
      files: changed.stat,
      key,
    }),
  );
  writeAttemptFiles({
    home: place.git.home,
    files,
    prompt,
    permissions: { ...readOnly, tree, afterMs: 0 },
  });
  writeFileSync(join(files.attemptDir, 'key'), key, { mode: 0o600 });
  const adapter = adapters[agent.adapter];
  const home = await homeOf(agent, { attemptDir: files.attemptDir, env: place.env });
  if ('problem' in home) return { said: none(home.problem) };
  const { argv, env, own } = adapter.start({
    ...files,
    run: run.id,
    worker,
    attempt: n,
    worktree: tree,
    port: await place.ports.take(files.attemptDir, preferredPorts(files.attemptDir, n)),
    definition: agent,
    prompt,
    standing: null,
    session: null,
    model: null,
    permissions: readOnly,
    gitDir: null,
    repository: place.git.root,
    baseEnv: home.baseEnv,
  });
  await reach(place.git, 'review:before-spawn');
  const { policies } = run.plan;
  const started = await startAttempt(place.runners, {
    dir: files.attemptDir,
    argv,
    before: meterWords(agent),
    cwd: tree,
    env,
    own: { ...own, ...home.own, CZAR_REVIEW: String(n), CZAR_REVIEW_KEY: key },
    limits: noLimits,
    timeoutMs: limitOf(run, intent) + slackMs,
    unattendedMs: policies.unattendedMs,
    graceMs: policies.graceMs,
  });
  await reach(place.git, 'review:after-spawn');
  return 'started' in started ? { process: started.started } : { said: none(started.failed) };
}

/** How long it may take, milliseconds: as long as an attempt of the worker, else as long as a check. */
function limitOf(run: RunState, { worker }: Review): number {
  const limit = definitionOf(run, worker).timeoutMs ?? run.plan.policies.checkTimeoutMs;
  // No timer of Node is longer.
  return Math.min(limit, 2 ** 31 - 1);
}

function saidBy(files: AttemptFiles, agent: AgentDefinition, end: AttemptEnd): ReviewerSaid {
  const adapter = adapters[agent.adapter];
  const now = Date.now();
  const { judgement, lastWords } = judgeEnd(adapter, files, { end, limits: noLimits, now });
  switch (judgement.kind) {
    case 'quota': {
      const notBefore = quotaEnd(judgement.until, 0, now);
      return { kind: 'none', reason: `no quota: ${judgement.reason}`, notBefore, counts: false };
    }
    case 'failed':
      return none(judgement.reason);
    // It counts: one that dies each time would else be started, and spend, for ever.
    case 'lost':
      return none(judgement.why);
    case 'well': {
      const said = lastOutput(files, outputBytes).flatMap(adapter.show).join('\n');
      const verdict = verdictIn(said, keyOf(files));
      if (verdict !== null) return { kind: 'verdict', ...verdict };
      return none(['it ended without a verdict', ...lastWords.slice(-3)].join('\n'));
    }
  }
}

function keyOf({ attemptDir }: AttemptFiles): string {
  return readFileSync(join(attemptDir, 'key'), 'utf8');
}

function none(reason: string): Extract<ReviewerSaid, { kind: 'none' }> {
  return { kind: 'none', reason, notBefore: null, counts: true };
}

function over(
  { run, worker, n }: { readonly run: string; readonly worker: string; readonly n: number },
  said: ReviewerSaid,
  usage: Usage | null,
): Outcome {
  return { kind: 'reviewed', run, worker, n, said, usage };
}

/** What it used, as it told it itself; null when it told nothing. */
async function usageOf(files: AttemptFiles, agent: AgentDefinition): Promise<Usage | null> {
  const reports: Report[] = [];
  await readReports(files.attemptDir, {
    of: { run: '', worker: '', attempt: 0 },
    from: { reportOffset: 0, outputOffset: 0 },
    read: adapters[agent.adapter].read,
    atEnd: true,
    report: async (outcome) => {
      if (outcome.kind === 'reports') reports.push(...outcome.reports);
    },
  });
  const ground = { agent: agent.name, price: null, used: noUsage, ...nobodyAsks };
  const told = reportEvents(reports, ground).flatMap((event) =>
    event.type === 'worker.usage' ? [event.data] : [],
  );
  if (told.length === 0) return null;
  const { input, output, cached, costUsd } = told.reduce(sum, noUsage);
  return { input, output, cached, costUsd };
}

function agentNamed({ run }: EffectContext, name: string): AgentDefinition | null {
  const { agents } = run.plan;
  return Object.hasOwn(agents, name) ? (agents[name] ?? null) : null;
}

async function endTree(
  place: Workplace,
  { attemptDir }: AttemptFiles,
  { run }: EffectContext,
): Promise<void> {
  const status = readStatus(attemptDir);
  const agent = 'agent' in status ? status.agent : null;
  const { survivors } = await stopTree({
    marker: attemptKey(attemptDir),
    roots: agent === null ? [] : [{ ...agent, boot: readBoot(attemptDir) }],
    worktree: null,
    attemptDir,
    graceMs: run.plan.policies.graceMs,
  });
  if (survivors.length > 0) throw new Error(`${survivors.length} processes could not be ended`);
  place.runners.release(attemptDir);
  place.ports.release(attemptDir);
}

type Named = { readonly run: string; readonly worker: string; readonly n: number };

/** Its checkout: the same for the same review, so that a crash leaves one to find. */
function treeOf(place: Workplace, { run, worker, n }: Named): string {
  const hash = createHash('sha256')
    .update(`${place.git.commonDir}\n${run}\n${worker}\n${n}`)
    .digest('hex')
    .slice(0, 12);
  return join(place.checks, `review-${worker}-${hash}`, 'tree');
}

async function removeTree(place: Workplace, of: Named): Promise<void> {
  const dir = treeOf(place, of);
  await removeCheckTree(place.git, { dir, pool: checkPool(place) });
  await removeFolder(dirname(dir));
}
