/**
 * The places inside effects at which faults strike: an effect throws, is slow, or its loop's process dies. A dead
 * process's effect waits for ever; an aborted one ends at its next place, or goes on to its end.
 */
import type { Intent } from '../src/core/intents.ts';
import type { EffectContext } from '../src/daemon/loop.ts';
import { never, type Owner, type World } from './world.ts';

export interface Effect<I extends Intent = Intent> {
  readonly world: World;
  readonly owner: Owner;
  readonly intent: I;
  readonly context: EffectContext;
  /** Passes a named place, some time later. */
  readonly place: (name: string) => Promise<void>;
}

export type EffectOf<K extends Intent['kind']> = Effect<Extract<Intent, { kind: K }>>;

export function effectOf<I extends Intent>(
  world: World,
  owner: Owner,
  intent: I,
  context: EffectContext,
): Effect<I> {
  return { world, owner, intent, context, place: placesOf(world, owner, intent.kind, context) };
}

/** The places of something that the owner does. */
export function placesOf(
  world: World,
  owner: Owner,
  what: string,
  { signal }: { readonly signal: AbortSignal },
): (name: string) => Promise<void> {
  const obstinate = world.faults.strikes('ignores-abort', what);
  return async (name) => {
    const site = `${what}:${name}`;
    world.coverage.hit('site', site);
    if (world.faults.isKilledAt(site) || world.faults.strikes('crash', site)) {
      world.onCrash(owner, `at ${site}`);
      return never();
    }
    if (world.faults.strikes('throw', site)) throw new Error(`injected at ${site}`);
    const slow = world.faults.strikes('slow', site);
    if (slow) owner.slow += 1;
    await world.sleep(owner, slow ? 1_000 + world.delay.below(90_000) : world.delay.below(40));
    if (slow) owner.slow -= 1;
    if (owner.dead) return never();
    if (signal.aborted && !obstinate) throw new Error('aborted');
  };
}
