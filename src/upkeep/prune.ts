/**
 * Deleting what old runs hold. The event that says what goes, and who asked, is durable before the first of it goes; each
 * ref goes only from where it stood then. Killed at any point it can be called again and does the rest.
 */
import { existsSync } from 'node:fs';
import type { Command, Rejection } from '../core/commands.ts';
import { decide } from '../core/decide.ts';
import type { PrunedRef } from '../core/events.ts';
import type { RepositoryState } from '../core/state.ts';
import { crashPoint } from '../daemon/crash-point.ts';
import { holdLog } from '../daemon/hold-log.ts';
import type { Answer } from '../daemon/answer.ts';
import type { Place } from '../daemon/place.ts';
import { withReader } from '../daemon/views/read.ts';
import { inMirror, inUserRepository, reach, type GitContext } from '../git/context.ts';
import { quietly } from '../git/deliver.ts';
import { failing, failure, git as callGit, type Failed } from '../git/git.ts';
import { ensureMirror } from '../git/mirror.ts';
import { moveRefIn } from '../git/refs.ts';
import { removeFolder } from '../git/trees/remove-folder.ts';
import { contextOf } from '../daemon/views/kept.ts';
import type { Owner } from '../journal/lock.ts';
import type { Retention } from '../plan/config-file.ts';
import { appendAlone } from './append-alone.ts';
import { isEmpty, planPrune, type PrunedFolder, type PrunePlan } from './prune-plan.ts';

interface Order {
  readonly place: Place;
  readonly retention: Retention;
  readonly env: NodeJS.ProcessEnv;
  readonly now: number;
}

export type Pruned =
  | { readonly kind: 'no-log' }
  | { readonly kind: 'unreadable'; readonly what: string; readonly next: string | null }
  | { readonly kind: 'held'; readonly owner: Owner | null }
  | { readonly kind: 'refused'; readonly rejection: Rejection }
  | {
      readonly kind: 'done';
      readonly plan: PrunePlan;
      readonly bytes: number;
      readonly problems: readonly string[];
    }
  | Failed;

/** What would be deleted now; changes nothing. */
export async function previewPrune({ place, retention, now }: Order): Promise<Pruned> {
  const read = await withReader(place, (reader) =>
    planPrune(contextOf(place), { state: reader.load(), retention, now }),
  );
  if (!read.ok) return read.problem;
  const plan = read.value;
  return plan.kind === 'failed' ? plan : { kind: 'done', plan, bytes: bytesOf(plan), problems: [] };
}

/** Deletes it, while no loop lives: under the lock. */
export async function prune({ place, retention, env, now }: Order): Promise<Pruned> {
  const held = holdLog(place);
  if (held === null) return { kind: 'no-log' };
  if ('owner' in held) return { kind: 'held', owner: held.owner };
  using _held = held;
  const say = (command: PruneCommand): Promise<Answer> => {
    const decision = decide(held.journal.load(), command, now);
    if (!decision.ok) return Promise.resolve({ ok: false, rejection: decision.rejection });
    for (const event of decision.events) appendAlone(held, event, now);
    return Promise.resolve({ ok: true });
  };
  const git = { ...held.git, point: crashPoint(env) };
  return await pruneBy({ git, state: held.journal.load(), retention, now, say });
}

/** What is said to the log: that it begins, and that it is done. */
export type PruneCommand = Extract<Command, { kind: 'prune' | 'pruned' }>;

/** Deletes it, for whoever may write to the log. */
export async function pruneBy(options: {
  /** Its signal ends the deletion; the rest is left to the next one. */
  readonly git: GitContext;
  readonly state: RepositoryState;
  readonly retention: Retention;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Resolves when it is durable, or with why not. */
  readonly say: (command: PruneCommand) => Promise<Answer>;
}): Promise<Extract<Pruned, { kind: 'done' | 'refused' | 'failed' }>> {
  const { git, state, retention, now, say } = options;
  // What branches of the user's lead to is then reachable in the mirror too.
  const current = state.runs.size > retention.runs ? await ensureMirror(git) : null;
  if (current?.kind === 'failed') return current;
  const plan = await planPrune(git, { state, retention, now });
  if (plan.kind === 'failed') return plan;
  if (isEmpty(plan)) return { kind: 'done', plan, bytes: 0, problems: [] };
  await reach(git, 'prune:before-event');
  const outputs = plan.outputs.map(({ run }) => run);
  const aside = plan.aside.map(({ run }) => run);
  const { runs, refs } = plan;
  const begun = await say({ kind: 'prune', by: 'user', runs, outputs, refs, aside });
  if (!begun.ok) return { kind: 'refused', rejection: begun.rejection };
  await reach(git, 'prune:after-event');
  const done = await failing(async () => {
    const kept = await deleteRefs(git, refs);
    await reach(git, 'prune:after-refs');
    const folders = await deleteFolders(git, [...plan.outputs, ...plan.aside]);
    return { problems: [...kept, ...folders] };
  });
  if ('kind' in done) return done;
  await reach(git, 'prune:before-done');
  const bytes = bytesOf(plan);
  const ended = await say({ kind: 'pruned', outputs: outputs.length, refs: refs.length, bytes });
  if (!ended.ok) return { kind: 'failed', error: ended.rejection.what };
  return { kind: 'done', plan, bytes, problems: done.problems };
}

/** Deletes refs from where they stood, all at once where none has moved; gives what could not be done. */
async function deleteRefs(
  context: GitContext,
  refs: readonly PrunedRef[],
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const [place, call] of [
    ['repository', inUserRepository(context)],
    ['mirror', inMirror(context)],
  ] as const) {
    const here = refs.filter((one) => one.in === place);
    if (here.length === 0) continue;
    await reach(context, `prune:before-${place}`);
    const input = here.map(({ ref, commit }) => `delete ${ref}\0${commit}\0`).join('');
    const args = [...quietly, 'update-ref', '--no-deref', '--stdin', '-z'];
    const all = await callGit(args, { ...call, input });
    if (all.code === 0) continue;
    for (const { ref, commit } of here) {
      const moved = await moveRefIn(call, { ref, from: commit, to: null });
      // What is gone meanwhile was to go.
      if (moved.kind === 'lost' && moved.found !== null)
        problems.push(`${ref} has moved meanwhile and stays`);
    }
  }
  return problems;
}

async function deleteFolders(
  context: GitContext,
  folders: readonly PrunedFolder[],
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { path } of folders) {
    if (context.signal?.aborted === true) throw failure('the czar that deletes was told to end');
    await reach(context, 'prune:before-folder');
    await removeFolder(path);
    if (existsSync(path)) problems.push(`${path} could not be removed`);
  }
  return problems;
}

function bytesOf({ outputs, aside }: PrunePlan): number {
  return [...outputs, ...aside].reduce((sum, { bytes }) => sum + bytes, 0);
}
