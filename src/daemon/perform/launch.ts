/**
 * The launch of an attempt: what its agent is told, how its program is started under the shim, and what became of a start
 * that an earlier loop began. From here on the records in the attempt's folder say what is true.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { capabilitiesOf, instructionsOf } from '../../agents/adapters.ts';
import { writeAttemptFiles, type AttemptFiles } from '../../agents/attempt-files.ts';
import { preferredPorts } from '../../agents/environment.ts';
import { meterWords } from '../../agents/metered-command.ts';
import { briefing } from '../../context/briefing.ts';
import { instructionsText, standingText, workerIdentity } from '../../context/identity.ts';
import { nextMessage, workerPrompt } from '../../context/prompt.ts';
import { attemptLimitsOf } from '../../core/attempt-limits.ts';
import { unsettled } from '../../core/asks.ts';
import type { Outcome } from '../../core/commands.ts';
import type { InstructionFile } from '../../core/instruction-files.ts';
import type { Intent } from '../../core/intents.ts';
import type { AgentDefinition } from '../../core/plan.ts';
import { positionOf } from '../../core/schedule/order.ts';
import { permissionsOf } from '../../core/permissions.ts';
import { definitionOf, type RunState, type WorkerState } from '../../core/state.ts';
import { agentNameOf } from '../../core/schedule/which-agent.ts';
import { pathTest } from '../../gates/patterns.ts';
import { markedAmong } from '../../git/collecting/czar-files.ts';
import { filesAtTop } from '../../git/facts.ts';
import { topLevel } from '../../git/trees/worktree.ts';
import { startAttempt } from '../../process/attempt.ts';
import { recoverAttempt } from '../../process/follow.ts';
import { makeWithinHome } from '../../process/generated-folder.ts';
import { bootId } from '../../process/identity.ts';
import { readStatus } from '../../process/status.ts';
import { adapterOf, agentOf } from './agent-of.ts';
import { attemptOf, ended, filesOf } from './attempt-end.ts';
import { madeFolder, makeEmptyFolder } from './empty-folder.ts';
import { writeIdentity, writeInstructions } from './own-files.ts';
import type { EffectContext } from '../loop.ts';
import { stateOf } from './work.ts';
import { awayFromHome, makeHome } from './own-home.ts';
import { succeed } from './succeed.ts';
import { redactorOf, secretsNow } from '../redactions.ts';
import { isolationOf, treeOf, type Workplace } from '../workplace.ts';

type Launch = Extract<Intent, { kind: 'launch' }>;

/** How much later than the loop the watchdog ends an attempt at its time limit, milliseconds. */
const watchdogSlackMs = 10_000;

/** Starts the program under the shim, or finds what became of a start that an earlier loop began. */
export async function launch(
  place: Workplace,
  intent: Launch,
  context: EffectContext,
): Promise<Outcome> {
  const { run } = context;
  const files = filesOf(place, intent);
  makeWithinHome(place.git.home, files.attemptDir);
  if (context.recovering || readStatus(files.attemptDir).kind !== 'none') {
    const found = await recoveredLaunch(intent, files, context);
    return found.kind === 'launched' ? { ...found, ...madeFolder(place, run, intent) } : found;
  }
  const worker = stateOf(run, intent.worker);
  const tree = treeOf(place, worker) ?? makeEmptyFolder(place, run, intent.worker);
  const problem = await misplaced(run, intent, tree);
  if (problem !== null) throw new Error(problem);
  const definition = definitionOf(run, intent.worker);
  const agent = agentOf(run, intent.worker);
  if (agent === null) {
    return {
      kind: 'launch-failed',
      ...attemptOf(intent),
      error: `there is no agent named ${agentNameOf(run, worker)}`,
      final: true,
    };
  }
  const adapter = adapterOf(run, intent.worker);
  const known = capabilitiesOf(agent).resume ? sessionToResume(worker, agent.name) : null;
  // A session lies in the home in which it was made.
  const before = agent.home === undefined || known === null ? null : lastHome(place, intent);
  const session = agent.home === undefined || before !== null ? known : null;
  const made = await homeOf(place, { intent, agent, before });
  if (made !== null && 'problem' in made)
    return { kind: 'launch-failed', ...attemptOf(intent), error: made.problem, final: true };
  const told = brief(place, intent, context, { tree, resumes: session !== null });
  const { prompt, standing } = told;
  const instructed = { tree, file: instructionsOf(agent), text: told.instructions };
  const preferred = preferredPorts(files.attemptDir, positionOf(run.plan, intent.worker));
  const port = await place.ports.take(files.attemptDir, preferred);
  const { argv, env, own } = adapter.start({
    ...files,
    run: run.id,
    worker: intent.worker,
    attempt: intent.attempt,
    worktree: tree,
    port,
    definition: agent,
    prompt,
    standing,
    session,
    model: worker.attempt?.agent == null ? definition.model : null,
    permissions: permissionsOf(run.plan),
    gitDir: definition.workspace === 'empty' ? null : gitDirOf(place, run, tree),
    repository: place.git.root,
    baseEnv: made === null ? place.env : awayFromHome(place.env),
  });
  const { policies } = run.plan;
  const started = await startAttempt(place.runners, {
    dir: files.attemptDir,
    argv,
    before: meterWords(agent),
    cwd: tree,
    env,
    own: made === null ? own : { ...own, HOME: made.home },
    limits: attemptLimitsOf(definition),
    timeoutMs: definition.timeoutMs === null ? null : definition.timeoutMs + watchdogSlackMs,
    unattendedMs: policies.unattendedMs,
    graceMs: policies.graceMs,
    prepare: async () => {
      told.write();
      await instruct(place, intent, context, instructed);
      await place.git.point?.('launch:before-spawn');
    },
  });
  await place.git.point?.('launch:after-spawn');
  if ('started' in started) {
    const made =
      worker.worktree === null ? { worktree: onItsOwn(relative(place.git.root, tree)) } : {};
    return { kind: 'launched', ...attemptOf(intent), process: started.started, ...made };
  }
  return {
    kind: 'launch-failed',
    ...attemptOf(intent),
    error: started.failed,
    final: started.final,
  };
}

/** The same text, which as a part of a longer one would keep that in memory for as long as the worker is known. */
function onItsOwn(text: string): string {
  return Buffer.from(text).toString();
}

async function recoveredLaunch(
  intent: Launch,
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

/** The folder of the last attempt before this one that has a home of its own; null when none has. */
function lastHome(place: Workplace, intent: Launch): string | null {
  for (let n = intent.attempt - 1; n > 0; n -= 1) {
    const { attemptDir } = filesOf(place, { ...intent, attempt: n });
    if (existsSync(join(attemptDir, 'home'))) return attemptDir;
  }
  return null;
}

/** The home folder of the attempt's own; null when it has the user's. */
async function homeOf(
  place: Workplace,
  of: { readonly intent: Launch; readonly agent: AgentDefinition; readonly before: string | null },
): Promise<Awaited<ReturnType<typeof makeHome>> | null> {
  const { intent, agent, before } = of;
  if (agent.home === undefined) return null;
  const { attemptDir } = filesOf(place, intent);
  const user = place.env['HOME'] ?? null;
  return makeHome({ attemptDir, before, user, files: agent.home.files });
}

/** Where git in the tree writes: into the tree's own folder, or into that of the user's repository. */
function gitDirOf(place: Workplace, run: RunState, tree: string): string {
  const linked = run.plan.policies.isolation === 'worktree';
  return linked ? dirname(place.git.state) : join(tree, '.git');
}

/** The session that the attempt goes on with; null when it begins a new one. */
function sessionToResume({ attempt, session }: WorkerState, agent: string): string | null {
  return attempt?.continues === true && session?.agent === agent ? session.id : null;
}

/** What the agent is told, which is less when it knows the rest; `write` writes prompt, identity file and programs. */
function brief(
  place: Workplace,
  intent: Launch,
  { run }: EffectContext,
  { tree, resumes }: { readonly tree: string; readonly resumes: boolean },
): {
  readonly prompt: string;
  readonly standing: string;
  readonly instructions: string;
  readonly write: () => void;
} {
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
  const redact = redactorOf(run.plan, place.env);
  const prompt = redact(workerPrompt(facts));
  const { identityFile } = isolationOf(run);
  return {
    prompt: resumes ? redact(nextMessage(facts)) : prompt,
    standing: redact(standingText(facts, identityFile)),
    instructions: redact(instructionsText(facts, identityFile)),
    write: () => {
      const { afterMs } = unsettled(definitionOf(run, intent.worker));
      const permissions = { ...permissionsOf(run.plan), tree, afterMs };
      const dependencies = facts.dependencies.map(({ edge, state, role }) => ({
        id: edge.on,
        kind: edge.kind,
        requires: edge.requires,
        state: state.state,
        role,
        handoff: state.handoff === null ? null : redact(state.handoff),
      }));
      const secrets = secretsNow(run.plan, place.env);
      const told = { prompt, permissions, dependencies, ...secrets };
      writeAttemptFiles({ home: place.git.home, files, ...told });
      const linksFrom = dirname(join(tree, identityFile));
      const identity = redact(workerIdentity({ ...facts, place: { ...facts.place, linksFrom } }));
      writeIdentity(tree, identityFile, identity);
    },
  };
}

/** Writes the file of instructions that the agent reads by itself in its tree, where czar may put one there. */
async function instruct(
  place: Workplace,
  intent: Launch,
  { run }: EffectContext,
  of: { readonly tree: string; readonly file: InstructionFile | null; readonly text: string },
): Promise<void> {
  const { workspace, deliverables } = definitionOf(run, intent.worker);
  const { hide } = isolationOf(run);
  if (workspace !== 'empty' && hide === null) return;
  const base = stateOf(run, intent.worker).attempt?.base ?? null;
  const read = workspace === 'empty' || of.file === null ? null : base;
  const deliverable = deliverables.map((pattern) => pathTest(pattern));
  await writeInstructions({
    ...of,
    base: read === null ? [] : await namesIn(place, read),
    isDeliverable: (path) => deliverable.some((test) => test(path)),
    hide: async (names) => workspace === 'empty' || (await hide?.(of.tree, names)) === true,
  });
}

/** Names at the top of a commit, but for files that czar wrote and an agent committed by force. */
async function namesIn({ git }: Workplace, commit: string): Promise<readonly string[]> {
  const { files } = succeed(await filesAtTop(git, commit));
  const { paths } = succeed(await markedAmong(git, files));
  return files.map(({ path }) => path).filter((path) => !paths.includes(path));
}

/** Why the program must not start where it would: git there would find another repository. */
async function misplaced(run: RunState, intent: Launch, tree: string): Promise<string | null> {
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
