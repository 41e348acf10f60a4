/** Landing: the commit built on the target as it is, then the target moved to exactly that commit. */
import type { Outcome } from '../../core/commands.ts';
import type { Intent } from '../../core/intents.ts';
import { definitionOf } from '../../core/state.ts';
import { buildLanding, commitLanding } from '../../git/landing/land.ts';
import { buildSync, commitSync } from '../../git/landing/sync.ts';
import type { EffectContext } from '../loop.ts';
import { succeed } from './succeed.ts';
import type { Workplace } from '../workplace.ts';

type Of<K extends Intent['kind']> = Extract<Intent, { kind: K }>;

/** The commit that would land, or why it cannot. */
export async function buildLandingTree(
  place: Workplace,
  intent: Of<'build-landing'>,
  { run }: EffectContext,
): Promise<Outcome> {
  const { target, onto, tip, mode, date } = intent;
  if (intent.sync === true) return buildSyncTree(place, intent);
  const lines = run.mergedOrder.map((id) => {
    const { role } = definitionOf(run, id);
    return `- ${id}${role === null ? '' : `: ${role.split('\n')[0]}`}`;
  });
  const message = `Land run ${run.id}\n\n${lines.join('\n')}`;
  const built = succeed(
    await buildLanding(place.git, {
      run: run.id,
      target,
      onto,
      tip,
      mode,
      date,
      message,
      identity: place.identity,
    }),
  );
  if (built.kind === 'refused') {
    return { kind: 'landing-refused', run: run.id, reason: built.reason, files: built.files };
  }
  return { kind: 'landing-built', run: run.id, date, commit: built.commit, tree: built.tree };
}

/** The target, merged into integration off to the side. */
async function buildSyncTree(place: Workplace, intent: Of<'build-landing'>): Promise<Outcome> {
  const { run, target, date } = intent;
  const message = `Bring ${target} into run ${run}`;
  const built = succeed(
    await buildSync(place.git, { ...intent, message, identity: place.identity }),
  );
  if (built.kind === 'refused')
    return { kind: 'landing-refused', run, reason: built.reason, files: built.files };
  return { kind: 'landing-built', run, date, commit: built.commit, tree: built.tree };
}

/** Moves the target, or integration; refuses, with nothing changed, when it is not where the landing was built on. */
export async function landTree(place: Workplace, intent: Of<'commit-landing'>): Promise<Outcome> {
  const { run, target, onto, commit, tree, admission } = intent;
  if (admission.trees.some((verdict) => verdict.result !== 'pass' || verdict.tree !== tree)) {
    throw new Error('S4: a landing without the verdicts of its tree');
  }
  if (intent.sync === true) {
    const moved = succeed(await commitSync(place.git, { run, onto, commit }));
    return moved.kind === 'refused'
      ? { kind: 'landing-refused', run, reason: moved.reason, files: moved.files }
      : { kind: 'landed', run, commit };
  }
  const done = succeed(await commitLanding(place.git, { run, target, onto, commit }));
  if (done.kind === 'refused')
    return { kind: 'landing-refused', run, reason: done.reason, files: done.files };
  const { notUpdated } = done;
  return {
    kind: 'landed',
    run,
    commit: done.commit,
    ...(notUpdated === undefined ? {} : { notUpdated }),
  };
}
