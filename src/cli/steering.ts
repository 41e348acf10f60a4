/**
 * What the steering verbs share: which run and worker are meant, and who decides. A loop that lives decides over its
 * socket; else this process takes the lock, decides, appends, and starts nothing.
 */
import { ask } from '../api/client.ts';
import type { Rejection, Steering } from '../core/commands.ts';
import { isRunLive, type RepositoryState, type RunState } from '../core/state.ts';
import { holdLog } from '../daemon/hold-log.ts';
import { locate, type Place } from '../daemon/place.ts';
import { applyOffline, complete, wantsLoop } from '../daemon/steer.ts';
import type { CliContext } from './verb.ts';

/** Asks for what `build` makes of the run; prints `done` when it was accepted. */
export async function steer(
  context: CliContext,
  build: (run: string) => Steering,
  done: string,
): Promise<void> {
  if (insideAttempt(context)) return;
  const place = findPlace(context);
  if (place === null) return;
  for (let tries = 0; ; tries += 1) {
    const held = holdLog(place);
    if (held === null) {
      return context.fail({
        exit: 3,
        what: 'there is no run in this repository',
        next: 'czar run starts one',
      });
    }
    if ('owner' in held) {
      const socket = held.owner?.socket ?? null;
      const runs = held.state;
      const run = chooseRun(context, runs);
      if (run === null) return;
      const reply = socket === null ? 'unreachable' : await ask(socket, build(run.id));
      if (reply === 'unreachable') {
        if (tries < 20) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          continue;
        }
        return context.fail({
          exit: 4,
          what: 'another czar holds this repository and does not answer',
          where: `pid ${held.owner?.pid ?? 'unknown'}`,
        });
      }
      if (!reply.ok) return refuse(context, reply.rejection);
      return report(context, done, null);
    }
    using _log = held;
    const run = chooseRun(context, held.journal.load());
    if (run === null) return;
    const request = await complete(held.git, held.journal.load(), build(run.id));
    if ('rejection' in request) return refuse(context, request.rejection);
    const { answer, state } = applyOffline(held.journal, request, {
      now: context.now(),
      when: held.when,
    });
    held.derive();
    if (!answer.ok) return refuse(context, answer.rejection);
    const after = state.runs.get(run.id);
    return report(
      context,
      done,
      after !== undefined && wantsLoop(after) ? 'czar run goes on with it' : null,
    );
  }
}

/** Refuses when an agent asks: agents report, they do not steer. True when it was refused. */
export function insideAttempt(context: CliContext): boolean {
  if (context.env['CZAR_ATTEMPT'] === undefined) return false;
  context.fail({
    exit: 4,
    what: 'a running attempt cannot steer a run',
    where: `worker ${context.env['CZAR_WORKER'] ?? ''}`,
    next: 'czar emit ask "…" asks a person',
  });
  return true;
}

/** The repository that the command acts on; null when there is none, which has been said. */
export function findPlace(context: CliContext): Place | null {
  const from = context.options.repo ?? context.cwd;
  const place = locate({ from, czarDir: context.options.czarDir, cwd: context.cwd });
  if ('error' in place) {
    context.fail({
      exit: 2,
      what: place.error,
      next: 'cd into a git repository, or name one with --repo',
    });
    return null;
  }
  return place;
}

/** The run that is meant: `--run`, the only live one, else the newest; null when that is not clear, which has been said. */
export function chooseRun(context: CliContext, state: RepositoryState): RunState | null {
  const { run: named } = context.options;
  const runs = [...state.runs.values()];
  if (named !== null) {
    const found = state.runs.get(named);
    if (found === undefined) {
      context.fail({
        exit: 3,
        what: `there is no run ${named}`,
        next: `runs: ${runs.map((run) => run.id).join(', ') || 'none'}`,
      });
    }
    return found ?? null;
  }
  const live = runs.filter(isRunLive);
  if (live.length > 1) {
    context.fail({
      exit: 4,
      what: 'more than one run is live',
      where: live.map((run) => run.id).join(', '),
      next: 'say which with --run ID',
    });
    return null;
  }
  const chosen = live[0] ?? runs.at(-1);
  if (chosen === undefined)
    context.fail({
      exit: 3,
      what: 'there is no run in this repository',
      next: 'czar run starts one',
    });
  return chosen ?? null;
}

/** Prints why a request was refused. */
export function refuse(context: CliContext, { exit, what, next }: Rejection): void {
  context.fail({ exit, what: what.replace(/\.$/, ''), next });
}

function report(context: CliContext, done: string, next: string | null): void {
  if (context.options.json) return context.out.json({ v: 1, ok: true, done, next });
  context.out.line(done);
  if (next !== null) context.out.note(next);
}
