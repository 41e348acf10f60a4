/**
 * Starts an agent once as an attempt is started, lets it write and commit a file in a scratch repository, and says what
 * worked. It spends what its agent spends.
 *
 * Owns a temporary folder, ports and the shim; all of it is gone when it returns. When this process dies, the watchdog
 * ends the agent at its time limit, and the folder stays.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { adapters } from '../../agents/adapters.ts';
import { attemptFiles, writeAttemptFiles } from '../../agents/attempt-files.ts';
import { judgeEnd } from '../../agents/judge-end.ts';
import type { Judgement, Report } from '../../core/events.ts';
import { permissionsOf } from '../../core/permissions.ts';
import type { Runners } from '../../process/runners.ts';
import { redactorOf, redactTexts } from '../redactions.ts';
import type { AgentTrialDocument } from '../../report/agent-trial-schema.ts';
import {
  alone,
  inOwnFolder,
  noLimits,
  reportsOf,
  runAlone,
  usageIn,
  type AloneOptions,
} from './run-alone.ts';
import { timestamp } from '../../report/figures.ts';
import { makeTrialRepository, trialPrompt, trialWork } from './trial-repository.ts';

/** What worked. Throws when the scratch repository cannot be made. */
export async function tryAgent(options: AloneOptions): Promise<AgentTrialDocument> {
  return inOwnFolder('czar-agents-test-', (base, runners) => tryIn(base, runners, options));
}

async function tryIn(
  base: string,
  runners: Runners,
  options: AloneOptions,
): Promise<AgentTrialDocument> {
  const { definition, policies } = options;
  const word = randomUUID();
  const tree = join(base, 'tree');
  const files = attemptFiles({ home: base, ...alone });
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
  const done = await runAlone(
    { runners, files, tree, prompt: trialPrompt(word), permissions },
    options,
  );
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

/** Session, usage and denials as a run would count them. */
function toldIn(
  reports: readonly Report[],
  agent: string,
): Pick<AgentTrialDocument, 'session' | 'usage' | 'denied'> {
  return {
    session: reports.findLast((one) => one.kind === 'session')?.id ?? null,
    usage: usageIn(reports, agent),
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
