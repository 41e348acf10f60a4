/**
 * What the steering verbs share: which run and worker are meant, and who decides. A loop that lives decides over its
 * socket; else this process takes the lock, decides, appends, and starts nothing.
 */
import { resolve } from 'node:path';
import { ask, tellRefused } from '../api/client.ts';
import type { Rejection, Steering } from '../core/commands.ts';
import { toBeStopped } from '../core/goes-on.ts';
import { agentsDoNotSteer, attemptAround } from '../daemon/asked-by-attempt.ts';
import { holderOf, listenerOf } from '../daemon/holder.ts';
import { holdLog } from '../daemon/hold-log.ts';
import { redactSteering } from '../daemon/redactions.ts';
import { locate } from '../daemon/place.ts';
import { applyOffline, complete, wantsLoop } from '../daemon/steer.ts';
import { exits } from './exit.ts';
import { heldBy } from './held-by.ts';
import { findPlaceAlone } from './find-place.ts';
import { chosenRun } from './reading.ts';
import type { CliContext } from './verb.ts';

/** What a request usually comes to that stops something. */
interface Done {
  readonly led: string;
  /** Where no loop lives that does it, as the beginning of a sentence that says so. */
  readonly recorded: string;
}

const none = { led: null, recorded: null };

/**
 * Asks for what `build` makes of the run; prints `done` when it was accepted, or what is so instead, and nothing when that
 * is null. False when it was refused, which has been said.
 */
export async function steer(
  context: CliContext,
  build: (run: string) => Steering,
  done: string | Done | null,
): Promise<boolean> {
  const { led, recorded } =
    typeof done === 'string' ? { led: done, recorded: null } : (done ?? none);
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
      if (!reply.ok) return refused(context, reply.rejection);
      report(context, led, { said: reply.said, next: null });
      return true;
    }
    using _log = held;
    if (held.journal.note !== null) context.out.note(held.journal.note);
    const before = held.journal.load();
    const run = chosenRun(context, before);
    if (run === null) return false;
    // Found by an attempt on record: what carries the mark of one was refused above.
    if (attemptAround(process.pid, { home: place.home, state: before }) !== null) {
      context.fail({ exit: exits.refused, ...agentsDoNotSteer });
      return false;
    }
    const request = await complete(
      { git: held.git, home: place.home, env: context.env },
      before,
      safe(run.id),
    );
    if ('rejection' in request) return refused(context, request.rejection);
    const { answer, state } = applyOffline(held.journal, request, {
      now: context.now(),
      when: held.when,
    });
    held.derive();
    if (!answer.ok) return refused(context, answer.rejection);
    const after = state.runs.get(run.id);
    const names = (after === undefined ? [] : toBeStopped(after)).map(({ id }) => id).join(', ');
    const isLeft = names !== '' && recorded !== null;
    const goesOn = after !== undefined && wantsLoop(after);
    const does = isLeft ? `stops ${names}` : goesOn ? 'goes on with it' : null;
    report(context, isLeft ? `${recorded}: no czar is running here that stops ${names}.` : led, {
      said: answer.said,
      next: does === null ? null : `czar run ${does}, or czar daemon start in the background`,
    });
    return true;
  }
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

function refused(context: CliContext, rejection: Rejection): false {
  refuse(context, rejection);
  return false;
}

/** What was accepted: what it usually comes to, unless something else is so. */
function report(
  context: CliContext,
  usual: string | null,
  { said, next }: { readonly said: string | undefined; readonly next: string | null },
): void {
  if (usual === null) return;
  const done = said ?? usual;
  if (context.options.json) return context.out.json({ v: 1, ok: true, done, next });
  context.out.line(done);
  if (next !== null) context.out.note(next);
}
