/**
 * What the steering verbs share: which run and worker are meant, and who decides. A loop that lives decides over its
 * socket; else this process takes the lock, decides, appends, and starts nothing.
 */
import { resolve } from 'node:path';
import { ask, tellRefused } from '../api/client.ts';
import type { Rejection, Steering } from '../core/commands.ts';
import { toBeStopped } from '../core/goes-on.ts';
import type { RunState } from '../core/state.ts';
import { agentsDoNotSteer, attemptAround } from '../daemon/asked-by-attempt.ts';
import { holderOf, listenerOf } from '../daemon/holder.ts';
import { holdLog, type HeldLog } from '../daemon/hold-log.ts';
import { endLeftoverChecks } from '../daemon/leftover-checks.ts';
import { redactSteering } from '../daemon/redactions.ts';
import { locate, type Place } from '../daemon/place.ts';
import { placeOfRun } from '../daemon/place-of-run.ts';
import { applyOffline, complete, wantsLoop } from '../daemon/steer.ts';
import { exits } from './exit.ts';
import { heldBy } from './held-by.ts';
import { findPlaceAlone } from './find-place.ts';
import { chosenRun } from './reading.ts';
import { runPlace } from './run-place.ts';
import { stopHere } from './stop-here.ts';
import type { CliContext } from './verb.ts';

const endsChecks: ReadonlySet<string> = new Set(['pause', 'cancel']);

/** What a request usually comes to that stops something. */
interface Done {
  /** A loop that lives is about to stop it. */
  readonly led: string;
  /** It has been stopped here. */
  readonly stopped: string;
  /** Where it could not be, as the beginning of a sentence that says so. */
  readonly recorded: string;
}

/**
 * Asks for what `build` makes of the run; prints `done` when it was accepted, or what is so instead, and nothing when that
 * is null. False when it was refused, which has been said.
 */
export async function steer(
  context: CliContext,
  build: (run: string) => Steering,
  done: string | Done | null,
): Promise<boolean> {
  const led = done === null || typeof done === 'string' ? done : done.led;
  const safe = (run: string): Steering => redactSteering(build(run), context.env);
  if (await insideAttempt(context, safe('').kind)) return false;
  const place = findPlaceAlone(context);
  if (place === null) return false;
  for (let tries = 0; ; tries += 1) {
    const held = holdLog(place);
    if (held === null) {
      context.fail({
        exit: exits.nothing,
        what: 'there is no run in this repository',
        next: 'czar run starts one',
      });
      return false;
    }
    if ('owner' in held) {
      const listener = listenerOf(held.owner);
      const runs = held.state;
      const run = chosenRun(context, runs);
      if (run === null) return false;
      const reply = listener === null ? 'unreachable' : await ask(listener, safe(run.id));
      if (reply === 'unreachable') {
        if (tries < 20) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          continue;
        }
        context.fail(heldBy(held.owner));
        return false;
      }
      if (!reply.ok) {
        refuse(context, reply.rejection);
        return false;
      }
      report(context, led, { said: reply.said, next: null });
      return true;
    }
    const decided = await decideHere(context, { place, held, safe });
    if (decided === null) return false;
    const { run, said } = decided;
    if (done === null || typeof done === 'string')
      report(context, led, { said, next: wantsLoop(run) ? 'goes on with it' : null });
    else await stopAndReport(context, { place, run, asked: safe(run.id), said, done });
    return true;
  }
}

/** Decides where no loop lives. The run as it then is, and what was said; null when it was refused, which has been said. */
async function decideHere(
  context: CliContext,
  at: {
    readonly place: Place;
    readonly held: HeldLog;
    readonly safe: (run: string) => Steering;
  },
): Promise<{ readonly run: RunState; readonly said: string | undefined } | null> {
  const { place, safe } = at;
  using held = at.held;
  if (held.journal.note !== null) context.out.note(held.journal.note);
  const before = held.journal.load();
  const run = chosenRun(context, before);
  if (run === null) return null;
  // Found by an attempt on record: what carries the mark of one was refused before.
  if (attemptAround(process.pid, { home: place.home, state: before }) !== null) {
    context.fail({ exit: exits.refused, ...agentsDoNotSteer });
    return null;
  }
  const asked = safe(run.id);
  // Of what is asked of a run only this looks into a tree.
  const there =
    asked.kind === 'submit' ? runPlace(context, place, run) : (placeOfRun(place, run) ?? place);
  if (there === null) return null;
  const git = { ...held.git, root: there.root, home: there.home.path };
  const request = await complete({ git, home: there.home, env: context.env }, before, asked);
  if ('rejection' in request) {
    refuse(context, request.rejection);
    return null;
  }
  const { answer, state } = applyOffline(held.journal, request, {
    now: context.now(),
    when: held.when,
  });
  held.derive();
  if (!answer.ok) {
    refuse(context, answer.rejection);
    return null;
  }
  // Their loop is gone, and with it who would end them.
  if (endsChecks.has(request.kind)) await endLeftoverChecks(held.git);
  return { run: state.runs.get(run.id) ?? run, said: answer.said };
}

/** What is to be stopped has nobody who does it: this process does. */
async function stopAndReport(
  context: CliContext,
  at: {
    readonly place: Place;
    readonly run: RunState;
    readonly asked: Steering;
    readonly said: string | undefined;
    readonly done: Done;
  },
): Promise<void> {
  const { run, asked, said, done } = at;
  const isOver = toBeStopped(run).length === 0;
  const after = isOver ? run : await stopHere(context, at.place, { run, verb: asked.kind });
  if (after === 'led') return report(context, done.led, { said, next: null });
  const left = toBeStopped(after).map(({ id }) => id);
  if (left.length === 0) {
    const next = wantsLoop(after) ? 'goes on with it' : null;
    return report(context, isSettled(after, asked) ? done.stopped : done.led, { said, next });
  }
  const names = left.join(', ');
  const isGone = placeOfRun(at.place, run) === null;
  const why = isGone
    ? `${done.recorded}. The checkout that ${names} worked in is gone: git worktree repair PATH, if it was moved, then the same again.`
    : `${done.recorded}: no czar is running here that stops ${names}.`;
  report(context, why, { said: undefined, next: isGone ? null : `stops ${names}` });
}

/** Whether it is so already: what is being merged is carried through first. */
function isSettled(run: RunState, asked: Steering): boolean {
  if (asked.kind !== 'cancel' && asked.kind !== 'pause') return false;
  if (asked.worker !== null)
    return ['cancelled', 'paused'].includes(run.workers.get(asked.worker)?.state ?? '');
  return ['cancelled', 'paused'].includes(run.state);
}

/**
 * Refuses when an agent asks: agents report, they do not steer. True when it was refused, which the loop that lives is
 * told. `asked` is the verb.
 */
export async function insideAttempt(context: CliContext, asked: string): Promise<boolean> {
  const { repo, czarDir } = context.options;
  const { cwd, env } = context;
  const place = locate({ from: resolve(cwd, repo ?? '.'), czarDir, cwd });
  const around = 'error' in place ? null : attemptAround(process.pid, { ...place, state: null });
  if (env['CZAR_ATTEMPT'] === undefined && around === null) return false;
  const listener = 'error' in place ? null : listenerOf(holderOf(place));
  if (listener !== null) await tellRefused(listener, asked);
  const { what, next } = agentsDoNotSteer;
  const where = `worker ${around?.worker ?? env['CZAR_WORKER'] ?? ''}`;
  context.fail({ exit: exits.refused, what, where, next });
  return true;
}

/** Prints why a request was refused. */
export function refuse(context: CliContext, { exit, what, next }: Rejection): void {
  context.fail({ exit, what: what.replace(/\.$/, ''), next });
}

/** What was accepted: what it usually comes to, unless something else is so. */
function report(
  context: CliContext,
  usual: string | null,
  /** `next` is what a loop does with the run. */
  of: { readonly said: string | undefined; readonly next: string | null },
): void {
  if (usual === null) return;
  const done = of.said ?? usual;
  const next =
    of.next === null ? null : `czar run ${of.next}, or czar daemon start in the background`;
  if (context.options.json) return context.out.json({ v: 1, ok: true, done, next });
  context.out.line(done);
  if (next !== null) context.out.note(next);
}
