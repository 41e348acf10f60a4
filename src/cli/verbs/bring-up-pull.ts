/** A pull request is opened or brought up to date, and what was found of it written down: for `land --pr` and `--watch`. */
import type { RunState } from '../../core/state.ts';
import type { Forge, Pull } from '../../daemon/forge/contract.ts';
import { openLogState } from '../../daemon/hold-log.ts';
import type { Place } from '../../daemon/place.ts';
import { forgeHere, openPull } from '../../daemon/forge/pull-request.ts';
import { exits } from '../exit.ts';
import { steer } from '../steering.ts';
import type { CliContext } from '../verb.ts';

export interface BroughtUp {
  readonly run: RunState;
  readonly pull: Pull & { readonly updated: boolean };
}

/**
 * Asks for it, pushes and opens or updates it, and writes that down. Null when czar refused, which has been
 * said; a sentence when the forge or the remote did.
 */
export async function bringUp(
  context: CliContext,
  place: Place,
  order: {
    readonly run: string;
    readonly target: string;
    readonly partial: boolean;
    readonly forge: Forge;
  },
): Promise<BroughtUp | { readonly failed: string } | null> {
  const { run: id, target, partial, forge } = order;
  const asked = await steer(
    context,
    () => ({ kind: 'request-pull', run: id, target, partial }),
    null,
  );
  const run = asked ? (openLogState(place)?.runs.get(id) ?? null) : null;
  if (run === null || run.pull === null) return null;
  const work = { place, env: { ...context.env }, now: context.now() };
  const pull = await openPull(work, { run, order: run.pull, forge });
  if ('failed' in pull) return pull;
  return (await record(context, { run, pull, forge })) ? { run, pull } : null;
}

/** The forge of the remote; null when there is none, which has been said. */
export async function forgeFor(context: CliContext, place: Place): Promise<Forge | null> {
  const forge = await forgeHere({ place, env: { ...context.env }, now: context.now() });
  if (!('missing' in forge)) return forge;
  context.fail({
    exit: exits.refused,
    what: `no pull request can be opened here: ${forge.missing}`,
    next: 'czar land brings it home without one',
  });
  return null;
}

/** Writes down what was found or made of it. False when that was refused, which has been said. */
export async function record(
  context: CliContext,
  of: { readonly run: RunState; readonly pull: Pull; readonly forge: Forge },
): Promise<boolean> {
  const { number, url, state } = of.pull;
  const { program } = of.forge;
  const tip = of.run.pull?.tip ?? '';
  const { id } = of.run;
  return steer(
    context,
    () => ({ kind: 'record-pull', run: id, number, url, tip, program, state }),
    null,
  );
}
