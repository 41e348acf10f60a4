/**
 * Deleting what old runs hold. The event that says what goes, and who asked, is durable before the first of it goes; each
 * ref goes only from where it stood then. Killed at any point it can be called again and does the rest.
 */
import { existsSync } from 'node:fs';
import type { PrunedRef } from '../core/events.ts';
import { crashPoint } from '../daemon/crash-point.ts';
import { holdLog } from '../daemon/hold-log.ts';
import type { Place } from '../daemon/place.ts';
import { withReader } from '../daemon/read.ts';
import { inMirror, inUserRepository, reach, type GitContext } from '../git/context.ts';
import { quietly } from '../git/deliver.ts';
import { failing, git, type Failed } from '../git/git.ts';
import { ensureMirror } from '../git/mirror.ts';
import { moveRefIn } from '../git/refs.ts';
import { removeFolder } from '../git/remove-folder.ts';
import { contextOf } from '../daemon/kept.ts';
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

/** Deletes it. */
export async function prune({ place, retention, env, now }: Order): Promise<Pruned> {
  const held = holdLog(place);
  if (held === null) return { kind: 'no-log' };
  if ('owner' in held) return { kind: 'held', owner: held.owner };
  using _held = held;
  const context = { ...held.git, point: crashPoint(env) };
  const state = held.journal.load();
  // What branches of the user's lead to is then reachable in the mirror too.
  const current = state.runs.size > retention.runs ? await ensureMirror(context) : null;
  if (current?.kind === 'failed') return current;
  const plan = await planPrune(context, { state, retention, now });
  if (plan.kind === 'failed') return plan;
  if (isEmpty(plan)) return { kind: 'done', plan, bytes: 0, problems: [] };
  await reach(context, 'prune:before-event');
  const outputs = plan.outputs.map(({ run }) => run);
  const aside = plan.aside.map(({ run }) => run);
  const { refs } = plan;
  appendAlone(held, { type: 'prune.started', data: { by: 'user', outputs, refs, aside } }, now);
  await reach(context, 'prune:after-event');
  const done = await failing(async () => {
    const kept = await deleteRefs(context, refs);
    await reach(context, 'prune:after-refs');
    const folders = await deleteFolders(context, [...plan.outputs, ...plan.aside]);
    return { problems: [...kept, ...folders] };
  });
  if ('kind' in done) return done;
  await reach(context, 'prune:before-done');
  const bytes = bytesOf(plan);
  const data = { outputs: outputs.length, refs: refs.length, bytes };
  appendAlone(held, { type: 'prune.done', data }, now);
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
    const all = await git(args, { ...call, input });
    if (all.code === 0) continue;
    for (const { ref, commit } of here) {
      const moved = await moveRefIn(call, { ref, from: commit, to: null });
      if (moved.kind === 'lost') problems.push(`${ref} has moved meanwhile and stays`);
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
    await reach(context, 'prune:before-folder');
    await removeFolder(path);
    if (existsSync(path)) problems.push(`${path} could not be removed`);
  }
  return problems;
}

function bytesOf({ outputs, aside }: PrunePlan): number {
  return [...outputs, ...aside].reduce((sum, { bytes }) => sum + bytes, 0);
}
