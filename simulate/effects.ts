/**
 * Performs every kind of intent on the simulated world, in steps between which anything may happen. Written from what
 * each effect promises, not from how the product does it: performed again it finds what was done.
 */
import { endReview, review } from './effects-review.ts';
import type { Outcome } from '../src/core/commands.ts';
import type { Intent } from '../src/core/intents.ts';
import type { Perform, Performed } from '../src/daemon/loop.ts';
import { effectOf, type Effect, type EffectOf } from './effect-context.ts';
import { checkGates, judge, setUp, tearDown } from './effects-gates.ts';
import { answer, launch, stop, watch } from './effects-attempt.ts';
import {
  buildLanding,
  buildMerge,
  commitLanding,
  commitMerge,
  publish,
  push,
} from './effects-merge.ts';
import { collect, prepareTree, tendTree } from './effects-tree.ts';
import type { Owner, World } from './world.ts';

/** What hears of effects: the checker. */
export interface EffectEar {
  readonly begun: (owner: Owner, intent: Intent, signal: AbortSignal) => void;
  readonly over: (owner: Owner, intent: Intent, outcome: Performed) => void;
  readonly threw: (owner: Owner, intent: Intent, error: unknown) => void;
}

/** The performer of one owner. `resend` delivers an outcome a second time. */
export function performer(
  world: World,
  owner: Owner,
  options: { readonly ear: EffectEar; readonly resend: (outcome: Outcome) => void },
): Perform {
  return async (intent, context) => {
    options.ear.begun(owner, intent, context.signal);
    let performed: Performed = null;
    try {
      const effect = effectOf(world, owner, intent, context);
      await effect.place('before');
      performed = await perform(effect, intent);
      await effect.place('after');
    } catch (error) {
      options.ear.threw(owner, intent, error);
      throw error;
    } finally {
      options.ear.over(owner, intent, performed);
    }
    const outcomes = [performed ?? []].flat();
    if (outcomes.length === 0) return null;
    for (const { kind } of outcomes) world.coverage.hit('outcome', kind);
    if (world.faults.strikes('lost-outcome', intent.kind)) return null;
    if (world.faults.strikes('duplicate-outcome', intent.kind)) {
      world.after(world.delay.pick([0, 1, 500, 30_000]), () => {
        if (!owner.dead) for (const again of outcomes) options.resend(again);
      });
    }
    return performed;
  };
}

async function perform(effect: Effect, intent: Intent): Promise<Performed> {
  switch (intent.kind) {
    case 'prepare-run':
      return prepareRun({ ...effect, intent });
    case 'check-inputs':
      return checkInputs({ ...effect, intent });
    case 'prepare-tree':
      return prepareTree({ ...effect, intent });
    case 'tend-tree':
      return tendTree({ ...effect, intent });
    case 'setup':
      return setUp({ ...effect, intent });
    case 'launch':
      return launch({ ...effect, intent });
    case 'watch':
      return watch({ ...effect, intent });
    case 'answer':
      return answer({ ...effect, intent });
    case 'stop':
      return stop({ ...effect, intent });
    case 'collect':
      return collect({ ...effect, intent });
    case 'teardown':
      return tearDown({ ...effect, intent });
    case 'judge':
      return judge({ ...effect, intent });
    case 'review':
      return review({ ...effect, intent });
    case 'end-review':
      return endReview({ ...effect, intent });
    case 'check':
      return checkGates({ ...effect, intent });
    case 'build-merge':
      return buildMerge({ ...effect, intent });
    case 'commit-merge':
      return commitMerge({ ...effect, intent });
    case 'publish':
      return publish({ ...effect, intent });
    case 'push':
      return push({ ...effect, intent });
    case 'build-landing':
      return buildLanding({ ...effect, intent });
    case 'commit-landing':
      return commitLanding({ ...effect, intent });
  }
}

async function prepareRun({ world, intent, place }: EffectOf<'prepare-run'>): Promise<Outcome> {
  const ref = `refs/czar/integration/${intent.run}`;
  await place('before-ref');
  world.git.move('mirror', ref, intent.base, null);
  return { kind: 'run-prepared', run: intent.run, commit: world.git.mirror.get(ref) ?? '' };
}

async function checkInputs({ world, intent, place }: EffectOf<'check-inputs'>): Promise<Outcome> {
  await place('look');
  const files = world.git.files(world.git.look(intent.commit).tree);
  const missing = intent.paths.filter((path) => !files.has(path));
  return { kind: 'inputs-checked', run: intent.run, worker: intent.worker, missing };
}
