/**
 * What the steering verbs share: which run and worker are meant, and who decides. A loop that lives decides over its
 * socket; else this process takes the lock, decides, appends, and starts nothing.
 */
import { ask } from '../api/client.ts';
import type { Rejection, Steering } from '../core/commands.ts';
import { holdLog } from '../daemon/hold-log.ts';
import { applyOffline, complete, wantsLoop } from '../daemon/steer.ts';
import { exits } from './exit.ts';
import { findPlace } from './find-place.ts';
import { chosenRun } from './reading.ts';
import type { CliContext } from './verb.ts';

/**
 * Asks for what `build` makes of the run; prints `done` when it was accepted, nothing when that is null. False when it
 * was refused, which has been said.
 */
export async function steer(
  context: CliContext,
  build: (run: string) => Steering,
  done: string | null,
): Promise<boolean> {
  if (insideAttempt(context)) return false;
  const place = findPlace(context);
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
      const socket = held.owner?.socket ?? null;
      const runs = held.state;
      const run = chosenRun(context, runs);
      if (run === null) return false;
      const reply = socket === null ? 'unreachable' : await ask(socket, build(run.id));
      if (reply === 'unreachable') {
        if (tries < 20) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          continue;
        }
        context.fail({
          exit: exits.refused,
          what: 'another czar holds this repository and does not answer',
          where: `pid ${held.owner?.pid ?? 'unknown'}`,
        });
        return false;
      }
      if (!reply.ok) return refused(context, reply.rejection);
      report(context, done, null);
      return true;
    }
    using _log = held;
    if (held.journal.note !== null) context.out.note(held.journal.note);
    const run = chosenRun(context, held.journal.load());
    if (run === null) return false;
    const request = await complete(
      { git: held.git, home: place.home },
      held.journal.load(),
      build(run.id),
    );
    if ('rejection' in request) return refused(context, request.rejection);
    const { answer, state } = applyOffline(held.journal, request, {
      now: context.now(),
      when: held.when,
    });
    held.derive();
    if (!answer.ok) return refused(context, answer.rejection);
    const after = state.runs.get(run.id);
    report(
      context,
      done,
      after !== undefined && wantsLoop(after)
        ? 'czar run goes on with it, or czar daemon start in the background'
        : null,
    );
    return true;
  }
}

/** Refuses when an agent asks: agents report, they do not steer. True when it was refused. */
export function insideAttempt(context: CliContext): boolean {
  if (context.env['CZAR_ATTEMPT'] === undefined) return false;
  context.fail({
    exit: exits.refused,
    what: 'a running attempt cannot steer a run',
    where: `worker ${context.env['CZAR_WORKER'] ?? ''}`,
    next: 'czar emit ask "…" asks a person',
  });
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

function report(context: CliContext, done: string | null, next: string | null): void {
  if (done === null) return;
  if (context.options.json) return context.out.json({ v: 1, ok: true, done, next });
  context.out.line(done);
  if (next !== null) context.out.note(next);
}
