/** `czar land --pr` and `--watch`: what is merged becomes a pull request, and what becomes of that is followed. */
import type { RunState } from '../core/state.ts';
import { openLogState } from '../daemon/hold-log.ts';
import type { Place } from '../daemon/place.ts';
import { ForgeError, type Forge, type Pull } from '../daemon/forge.ts';
import { forgeHere, openPull } from '../daemon/pull-request.ts';
import { exits } from './exit.ts';
import { streamEnd } from './reading.ts';
import { steer } from './steering.ts';
import type { CliContext } from './verb.ts';

interface Order {
  readonly run: string;
  readonly target: string;
  readonly partial: boolean;
  readonly watch: boolean;
}

/** Opens the pull request, or brings the open one up to date; then follows it, if that is wanted. */
export async function landPull(context: CliContext, place: Place, order: Order): Promise<void> {
  const { target, partial } = order;
  const forge = await forgeFor(context, place);
  if (forge === null) return;
  const asked = await steer(
    context,
    (run) => ({ kind: 'request-pull', run, target, partial }),
    null,
  );
  const run = asked ? (openLogState(place)?.runs.get(order.run) ?? null) : null;
  if (run === null || run.pull === null) return;
  const work = { place, env: { ...context.env }, now: context.now() };
  const pull = await openPull(work, { run, order: run.pull, forge });
  if ('failed' in pull) {
    return context.fail({
      exit: exits.failed,
      what: pull.failed,
      next: 'czar land --pr again does the rest',
    });
  }
  if (!(await record(context, { run, pull, forge }))) return;
  const { updated, ...found } = pull;
  if (context.options.json && !order.watch)
    return context.out.json({
      v: 1,
      run: run.id,
      kind: 'pull',
      target,
      branch: run.integration,
      ...found,
      updated,
    });
  context.out.line(`${pull.url} is ${updated ? 'up to date' : 'open'}.`);
  if (order.watch) await watchPull(context, place, order.run);
}

/** How long is waited between two looks at a pull request, milliseconds: at first, and at most. */
const firstMs = 5_000;
const longestMs = 120_000;

/** Follows the pull request of a run until it is merged or closed, which is recorded; Ctrl-C ends the following alone. */
export async function watchPull(context: CliContext, place: Place, id: string): Promise<void> {
  const run = openLogState(place)?.runs.get(id) ?? null;
  const pull = run?.pull ?? null;
  if (run === null || pull === null || pull.number === null) {
    return context.fail({
      exit: exits.nothing,
      what: `run ${id} has no pull request`,
      next: 'czar land --pr opens one',
    });
  }
  const forge = await forgeFor(context, place);
  if (forge === null) return;
  using end = streamEnd(context);
  let pause = firstMs;
  for (;;) {
    const found = await looked(forge, pull.number);
    if ('failed' in found) context.out.note(found.failed);
    else if (found.state !== 'open') {
      if (!(await record(context, { run, pull: found, forge }))) return;
      if (context.options.json)
        return context.out.json({ v: 1, run: id, kind: 'pull', ...shownOf(run), ...found });
      return context.out.line(`${found.url} is ${found.state}.`);
    }
    if (!(await waited(pause, end.signal))) return;
    pause = Math.min(longestMs, pause * 1.5);
  }
}

function shownOf({ integration, pull }: RunState): { target: string; branch: string } {
  return { target: pull?.target ?? '', branch: integration };
}

async function forgeFor(context: CliContext, place: Place): Promise<Forge | null> {
  const forge = await forgeHere({ place, env: { ...context.env }, now: context.now() });
  if (!('missing' in forge)) return forge;
  context.fail({
    exit: exits.refused,
    what: `no pull request can be opened here: ${forge.missing}`,
    next: 'czar land brings it home without one',
  });
  return null;
}

async function record(
  context: CliContext,
  of: { readonly run: RunState; readonly pull: Pull; readonly forge: Forge },
): Promise<boolean> {
  const { number, url, state } = of.pull;
  const { program } = of.forge;
  const tip = of.run.pull?.tip ?? '';
  return steer(
    context,
    (run) => ({ kind: 'record-pull', run, number, url, tip, program, state }),
    null,
  );
}

async function looked(forge: Forge, number: number): Promise<Pull | { readonly failed: string }> {
  try {
    return await forge.look(number);
  } catch (error) {
    if (error instanceof ForgeError) return { failed: error.message };
    throw error;
  }
}

/** Whether the time has passed; false when it was told to end. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end);
      resolve(true);
    }, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
