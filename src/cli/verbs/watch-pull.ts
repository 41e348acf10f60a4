/**
 * `czar land --watch`: follows a pull request until it is merged or closed. What checks and people say of it goes back to
 * whose work it is about, and what comes of that is pushed. Everything that matters is in the log: a watch that is ended
 * at any point is taken up by the next one.
 */
import type { OwnedRemark } from '../../core/home-requests.ts';
import { mends } from '../../core/pull.ts';
import { isRunLive, type PullState, type RunState } from '../../core/state.ts';
import type { Forge, Pull } from '../../daemon/forge/contract.ts';
import { ForgeError } from '../../daemon/forge/forge-call.ts';
import { daemonOf, holderOf } from '../../daemon/holder.ts';
import { openLogState } from '../../daemon/hold-log.ts';
import type { Place } from '../../daemon/place.ts';
import { hasMerged, ownedRemarks } from '../../daemon/forge/pull-owners.ts';
import { bringUp, forgeFor, record } from './bring-up-pull.ts';
import { exits } from '../exit.ts';
import { streamEnd } from '../reading.ts';
import { goOn } from './run.ts';
import { runDisplay } from '../run-display.ts';
import { steer } from '../steering.ts';
import type { CliContext } from '../verb.ts';

/** How long is waited between two looks at a pull request, milliseconds: after something was done, at first, and at most. */
const soonMs = 500;
const firstMs = 5_000;
const longestMs = 120_000;
/** How long remarks wait for checks that are under way, so that all goes back at once, milliseconds. */
const patienceMs = 600_000;

interface Watch {
  readonly context: CliContext;
  readonly place: Place;
  readonly forge: Forge;
  /** Says what has not been said before. */
  readonly once: (text: string) => void;
  /** Since when remarks wait for checks; null while none do. */
  waitsSince: number | null;
}

/** Follows it; Ctrl-C ends the following alone, and while workers are at it what Ctrl-C does to a run. */
export async function watchPull(context: CliContext, place: Place, id: string): Promise<void> {
  const number = openLogState(place)?.runs.get(id)?.pull?.number ?? null;
  if (number === null) {
    return context.fail({
      exit: exits.nothing,
      what: `run ${id} has no pull request`,
      next: 'czar land --pr opens one',
    });
  }
  const forge = await forgeFor(context, place);
  if (forge === null) return;
  using end = streamEnd(context);
  const watch: Watch = { context, place, forge, once: saying(context), waitsSince: null };
  let pause = firstMs;
  for (;;) {
    const run = openLogState(place)?.runs.get(id);
    if (run?.pull == null) return;
    const found = await asked(async () => forge.look(number));
    if ('failed' in found) watch.once(found.failed);
    else if (found.state !== 'open') return await over(watch, run, found);
    else if (await attend(watch, run, run.pull)) pause = soonMs;
    if (!(await waited(pause, end.signal))) return;
    pause = Math.min(longestMs, Math.max(firstMs, pause * 1.5));
  }
}

/** It was merged or closed. */
async function over({ context, forge }: Watch, run: RunState, pull: Pull): Promise<void> {
  if (!(await record(context, { run, pull, forge }))) return;
  context.exit(exits.done);
  const { target = '' } = run.pull ?? {};
  const about = { v: 1, run: run.id, kind: 'pull', target, branch: run.integration };
  if (context.options.json) context.out.json({ ...about, ...pull });
  else context.out.line(`${pull.url} is ${pull.state}.`);
}

/** Does what is next for an open one. Whether anything was done. */
async function attend(watch: Watch, run: RunState, pull: PullState): Promise<boolean> {
  const { context, place, forge, once } = watch;
  if (run.state === 'running') return atWork(watch, run.id);
  if (isRunLive(run)) {
    const next = run.state === 'paused' ? 'resume lets it go on' : 'inbox shows what waits for you';
    once(`Run ${run.id} is ${run.state}: czar ${next}.`);
    return false;
  }
  if (run.state !== 'complete') {
    once(
      `Run ${run.id} is ${run.state}: czar run --failed tries it again. Nothing is pushed meanwhile.`,
    );
    return false;
  }
  if (pull.state === 'open' && pull.shown === run.tip) return sendBack(watch, run, pull);
  const { target } = pull;
  const up = await bringUp(context, place, { run: run.id, target, partial: false, forge });
  if (up === null) return false;
  if ('failed' in up) once(up.failed);
  else context.out.note(`${up.pull.url} is up to date.`);
  return !('failed' in up);
}

/** What was said since the last time goes back, all at once. Whether anything did. */
async function sendBack(watch: Watch, run: RunState, pull: PullState): Promise<boolean> {
  const { context, place, forge, once } = watch;
  const { number, shown } = pull;
  if (number === null || shown === null) return false;
  const heard = await asked(async () => forge.heard(number));
  if ('failed' in heard) once(heard.failed);
  if ('failed' in heard) return false;
  if (heard.head !== shown) {
    // For a while a forge may still tell where the branch was before czar pushed.
    const ours = await hasMerged(place, run, heard.head);
    const pushed = `Somebody has pushed to ${pull.branch} (${heard.head.slice(0, 10)}): it is left to you.`;
    if (ours !== true) once(ours === false ? pushed : ours.failed);
    return false;
  }
  if (heard.passedOver > 0)
    once(
      `Left to you: ${heard.passedOver} comments by people who may not write to the repository.`,
    );
  for (const sentence of heard.untold) once(sentence);
  const fresh = heard.remarks.filter(({ id }) => !pull.seen.includes(id));
  if (fresh.length === 0 || !patient(watch, heard.pending)) return false;
  const remarks = await ownedRemarks(place, run, fresh);
  if ('failed' in remarks) {
    once(remarks.failed);
    return false;
  }
  const told = await steer(
    context,
    () => ({ kind: 'send-back', run: run.id, number, tip: shown, remarks }),
    null,
  );
  if (!told) return false;
  watch.waitsSince = null;
  sayWhere(watch, { run: run.id, pull, remarks });
  const after = openLogState(place)?.runs.get(run.id);
  return after?.state === 'running' ? atWork(watch, run.id) : true;
}

/** Whether remarks have waited long enough for checks that may say more. */
function patient(watch: Watch, pending: readonly string[]): boolean {
  if (pending.length === 0) return true;
  watch.waitsSince ??= watch.context.now();
  watch.once(`What was said waits for ${pending.slice(0, 5).join(', ')}.`);
  return watch.context.now() - watch.waitsSince >= patienceMs;
}

/** Says who mends what, and what nobody does any more. */
function sayWhere(
  { context, place }: Watch,
  {
    run,
    pull,
    remarks,
  }: { readonly run: string; readonly pull: PullState; readonly remarks: readonly OwnedRemark[] },
): void {
  const known = openLogState(place)?.runs.get(run)?.pull?.followUps ?? [];
  const made = known.slice(pull.followUps.length);
  for (const { worker, owner } of made)
    context.out.note(`What was said of the work of ${owner} goes to ${worker}.`);
  for (const { owner, by, file } of remarks) {
    const root = mends(pull, owner);
    if (made.some((one) => one.owner === root)) continue;
    const where = file === null ? '' : ` of ${file}`;
    context.out.note(`Left to you, since ${root} has had its rounds: what ${by} said${where}.`);
  }
}

/** Lets the workers of the run go on until nothing does by itself. */
async function atWork({ context, place, once }: Watch, run: string): Promise<boolean> {
  if (daemonOf(place) === null && holderOf(place) !== null) {
    once(`Another czar goes on with run ${run}.`);
    return false;
  }
  const display = { ...runDisplay(context, place.home.path), summary: () => {} };
  return goOn(context, place, { run, display });
}

function saying({ out }: CliContext): (text: string) => void {
  const said = new Set<string>();
  return (text) => {
    if (said.has(text)) return;
    said.add(text);
    out.note(text);
  };
}

async function asked<T extends object>(
  question: () => Promise<T>,
): Promise<T | { readonly failed: string }> {
  try {
    return await question();
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
