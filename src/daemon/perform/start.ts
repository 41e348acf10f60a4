/**
 * The launch of an attempt and, where that is all, its end: what is over within a moment and left nothing is known with
 * its start, without a durable step between. Whatever ends otherwise is followed (`attempt.ts`).
 */
import type { Intent } from '../../core/intents.ts';
import { definitionOf } from '../../core/state.ts';
import { endOf, readStatus } from '../../process/status.ts';
import type { Runners } from '../../process/runners.ts';
import { adapterOf } from './agent-of.ts';
import { attemptOf, ended, filesOf, leftNothing } from './attempt-end.ts';
import { readReports } from './attempt-reports.ts';
import type { EffectContext, Performed } from '../loop.ts';
import { launch } from './launch.ts';
import { stateOf } from './work.ts';
import type { Workplace } from '../workplace.ts';

/** How long the event of a start waits for the end, milliseconds; the attempt is on record in its folder meanwhile. */
const momentMs = 10;

/** Starts the attempt; gives its end and what follows with the start when it comes at once and there is nothing to it. */
export async function start(
  place: Workplace,
  intent: Extract<Intent, { kind: 'launch' }>,
  context: EffectContext,
): Promise<Performed> {
  const launched = await launch(place, intent, context);
  if (launched.kind !== 'launched' || context.recovering) return launched;
  const { run, signal } = context;
  if (definitionOf(run, intent.worker).workspace !== 'empty') return launched;
  const files = filesOf(place, intent);
  if (!(await exitsWithin(momentMs, files.attemptDir, { runners: place.runners, signal })))
    return launched;
  const status = readStatus(files.attemptDir);
  if (status.kind !== 'exited') return launched;
  const before = stateOf(run, intent.worker);
  const rest = await leftNothing(place, intent, {
    run,
    worker: { ...before, worktree: launched.worktree ?? before.worktree },
    outcome: ended(run, intent, files, endOf(files.attemptDir, status)),
    spoke: () => hasSpoken(place, intent, context),
  });
  return [launched, ...(rest ?? [])];
}

/** Whether a shim of this loop tells in time that the attempt has exited. */
async function exitsWithin(
  ms: number,
  dir: string,
  { runners, signal }: { readonly runners: Runners; readonly signal: AbortSignal },
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  using heard = runners.listen(dir, ({ kind }) => {
    if (kind !== 'agent') resolve(kind === 'exit');
  });
  if (heard === null) return false;
  const late = setTimeout(() => resolve(false), ms);
  const abort = (): void => resolve(false);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', abort);
  }
}

/** Whether it said anything; what it said is left for whoever follows it. */
async function hasSpoken(
  place: Workplace,
  intent: Extract<Intent, { kind: 'launch' }>,
  { run }: EffectContext,
): Promise<boolean> {
  let spoke = false;
  await readReports(filesOf(place, intent).attemptDir, {
    of: attemptOf(intent),
    read: adapterOf(run, intent.worker).read,
    from: { reportOffset: 0, outputOffset: 0 },
    atEnd: true,
    report: async () => {
      spoke = true;
    },
  });
  return spoke;
}
