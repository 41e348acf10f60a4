/** Launching, following and stopping an attempt, by the records in its folder. */
import type { Outcome } from '../src/core/commands.ts';
import type { AttemptEnd, ProcessIdentity, Report } from '../src/core/events.ts';
import type { Intent } from '../src/core/intents.ts';
import { definitionOf } from '../src/core/state.ts';
import {
  die,
  endNow,
  endWithoutExit,
  exit,
  folderOf,
  judgementOf,
  spawn,
  type AttemptFolder,
  wakeAll,
} from './attempts.ts';
import type { Effect, EffectOf } from './effect-context.ts';
import { signOfLife } from './silence.ts';
import { isEmpty, makeFolder } from './world.ts';

type AttemptIntent = Extract<Intent, { attempt: number }>;

export async function launch({
  world,
  intent,
  context,
  place,
}: EffectOf<'launch'>): Promise<Outcome> {
  const folder = folderOf(world, intent);
  if (context.recovering || folder.status !== 'none') {
    await place('recover');
    if (folder.status === 'none') folder.status = 'void';
    if (folder.status === 'void' || folder.process === null)
      return ended(intent, { how: 'lost', why: 'it was never started' });
    return launched(intent, folder.process);
  }
  if (world.agent.chance(0.02)) {
    const final = world.agent.chance(0.5);
    return { kind: 'launch-failed', ...of(intent), error: 'the program is missing', final };
  }
  if (context.run.workers.get(intent.worker)?.worktree === null) {
    makeFolder(world, intent, context.run.tip ?? context.run.base.commit);
    await place('made-folder');
  }
  await place('before-spawn');
  // The claim is atomic: of two that start the same attempt one starts it.
  if (folder.status === 'none') {
    const tree = world.treeOf(intent.run, intent.worker);
    spawn(world, folder, {
      tree: isEmpty(context.run, intent.worker) ? null : (tree ?? null),
      definition: definitionOf(context.run, intent.worker),
      unattendedMs: context.run.plan.policies.unattendedMs,
    });
  }
  await place('after-spawn');
  const { process } = folder;
  if (process === null) return ended(intent, { how: 'lost', why: 'another loop voided it' });
  return launched(intent, process);
}

function launched(intent: EffectOf<'launch'>['intent'], process: ProcessIdentity): Outcome {
  return { kind: 'launched', ...of(intent), process, worktree: `worktrees/${intent.worker}` };
}

export async function watch({
  world,
  intent,
  context,
  place,
  owner,
}: EffectOf<'watch'>): Promise<Outcome | null> {
  const folder = folderOf(world, intent);
  const attempt = context.run.workers.get(intent.worker)?.attempt;
  let at = { said: attempt?.reportOffset ?? 0, printed: attempt?.outputOffset ?? 0 };
  folder.watching.add(owner);
  folder.watchedAt = world.mono;
  const { signal } = context;
  const hushed = endWhenSilent({ world, owner, intent, context }, folder);
  try {
    for (;;) {
      at = await readOn(folder, intent, at, context.report);
      if (signal.aborted) return null;
      if (world.faults.strikes('unknown-liveness', 'watch')) {
        world.after(2_000, () => {
          wakeAll(folder);
        });
      } else {
        const end = endNow(folder);
        if (end !== null) {
          await place('ended');
          at = await readOn(folder, intent, at, context.report);
          return ended(intent, end);
        }
      }
      await new Promise<void>((wake) => {
        const woken = (): void => {
          folder.watchers.delete(woken);
          signal.removeEventListener('abort', woken);
          if (!owner.dead) wake();
        };
        folder.watchers.add(woken);
        signal.addEventListener('abort', woken);
      });
    }
  } finally {
    hushed();
    folder.watching.delete(owner);
    folder.watchedAt = world.mono;
  }
}

/** Tells the loop of silence, where that is to end the attempt; gives the function that stops listening. */
function endWhenSilent(
  {
    world,
    owner,
    intent,
    context,
  }: Pick<EffectOf<'watch'>, 'world' | 'owner' | 'intent' | 'context'>,
  folder: AttemptFolder,
): () => void {
  const { stall } = definitionOf(context.run, intent.worker);
  if (stall?.restart !== true) return () => {};
  const { afterMs: silentMs } = stall;
  let since = world.mono;
  let callOff: () => void = () => {};
  const look = (): void => {
    if (owner.dead || !folder.alive) return;
    since = Math.max(since, folder.sign.mono);
    if (world.mono - since >= silentMs) {
      since = world.mono;
      void context.report({ kind: 'stalled', ...of(intent), silentMs }).catch(() => {});
    }
    callOff = world.after(since + silentMs - world.mono, look);
  };
  callOff = world.after(silentMs, look);
  return () => callOff();
}

/** An answer lies in the folder, and whoever waits for it goes on. */
export async function answer({ world, intent, place }: EffectOf<'answer'>): Promise<Outcome> {
  const folder = folderOf(world, intent);
  await place('before-write');
  folder.answers.set(intent.id, intent.decision);
  if (folder.alive) {
    signOfLife(world, folder);
    folder.answered?.();
  }
  await place('after-write');
  return { kind: 'answer-delivered', ...of(intent), id: intent.id };
}

export async function stop({
  world,
  intent,
  context,
  place,
  owner,
}: EffectOf<'stop'>): Promise<Outcome> {
  const folder = folderOf(world, intent);
  await place('before-signal');
  if (folder.status === 'none') folder.status = 'void';
  if (folder.status !== 'exited') folder.stopped ??= intent.why;
  await endTree({ world, context, owner }, folder);
  await place('after-signal');
  const end = endNow(folder) ?? endWithoutExit(folder, 'it was stopped');
  return ended(intent, end);
}

/** Ends whatever lives of the attempt. */
export async function endTree(
  { world, context, owner }: Pick<Effect, 'world' | 'context' | 'owner'>,
  folder: AttemptFolder,
): Promise<void> {
  if (!folder.alive) return;
  if (!folder.ignoresTerm) {
    if (world.agent.chance(0.7)) exit(world, folder, 143);
    else die(world, folder);
    return;
  }
  await world.sleep(owner, context.run.plan.policies.graceMs);
  die(world, folder);
}

/** Reports what is in the folder beyond the offsets; each line once. */
export async function readOn(
  folder: AttemptFolder,
  intent: AttemptIntent,
  from: { readonly said: number; readonly printed: number },
  report: (outcome: Outcome) => Promise<void>,
): Promise<{ said: number; printed: number }> {
  let at = { ...from };
  if (folder.pruned) return at;
  while (folder.said.length > at.said || folder.printed.length > at.printed) {
    const said = folder.said.slice(at.said);
    const reports = [
      ...said.filter((one): one is Report => one !== null),
      ...folder.printed.slice(at.printed),
    ];
    const refused = said.filter((one) => one === null).map(() => 'a line that is no report');
    at = { said: folder.said.length, printed: folder.printed.length };
    await report({
      kind: 'reports',
      ...of(intent),
      reports,
      refused,
      reportOffset: at.said,
      outputOffset: at.printed,
    });
  }
  return at;
}

function ended(intent: AttemptIntent, end: AttemptEnd): Outcome {
  return { kind: 'attempt-ended', ...of(intent), end, judgement: judgementOf(end), lastWords: [] };
}

function of(intent: AttemptIntent): {
  readonly run: string;
  readonly worker: string;
  readonly attempt: number;
} {
  return { run: intent.run, worker: intent.worker, attempt: intent.attempt };
}
