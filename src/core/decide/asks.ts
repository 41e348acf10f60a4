/** Answers to what a running attempt waits with: a permission, and a question that it asked with `--wait`. */
import { answering, openAsks } from '../asks.ts';
import { why, type Asked } from './asked.ts';
import { accept, refuse, type Decision } from '../decision.ts';
import type { Principal } from '../events.ts';
import { workersIn } from '../run-index.ts';
import type { Ask, RunState, WorkerState } from '../state.ts';

/** Permissions that attempts of the run wait for, as a person names them, in plan order. */
export function awaitedPermissions(run: RunState): readonly string[] {
  return workersIn(run, 'active').flatMap((worker) =>
    openAsks(worker)
      .filter((ask) => ask.what.kind === 'permission')
      .map((ask) => `${worker.id}/${ask.id}`),
  );
}

/** A permission is given or denied: to the attempt that waits for it, and once. */
export function settleAsk(
  run: RunState,
  worker: WorkerState,
  id: string,
  { decision, text, by }: NonNullable<Ask['answer']>,
): Decision {
  const name = `${worker.id}/${id}`;
  const ask = worker.attempt?.asks.find((one) => one.id === id);
  if (ask === undefined) return refuse(3, `${worker.id} has asked for no ${id}.`, inbox);
  if (ask.what.kind === 'question')
    return refuse(4, `${name} is a question.`, `czar answer ${name} TEXT answers it.`);
  if (ask.answer?.decision === decision && ask.answer.by === by) return accept([]);
  if (ask.answer !== null) {
    const how = ask.answer.decision === 'allow' ? 'allowed' : 'denied';
    return refuse(4, `${name} was ${how} already, ${whoSaid[ask.answer.by]}.`, null);
  }
  if (!openAsks(worker).includes(ask))
    return refuse(4, `The attempt that asked for ${name} is over.`, why(worker));
  return accept([answering(run, worker, ask, { decision, text, by })]);
}

/** The answer to a question that the worker's attempt waits with; null when it waits with none, and none is named. */
export function answerAsk(
  run: RunState,
  worker: WorkerState,
  { ask: id, text, by }: Asked<'answer'>,
): Decision | null {
  const open = openAsks(worker).filter((ask) => ask.what.kind === 'question');
  const [first, ...others] = id === undefined ? open : open.filter((ask) => ask.id === id);
  if (first === undefined) {
    if (id === undefined) return null;
    return refuse(4, `${worker.id} waits for no answer to ${id}.`, inbox);
  }
  if (others.length > 0) {
    const names = open.map((ask) => `${worker.id}/${ask.id}`).join(', ');
    return refuse(4, `${worker.id} waits with several questions: ${names}.`, inbox);
  }
  return accept([answering(run, worker, first, { decision: 'allow', text, by })]);
}

const inbox = 'czar inbox shows what waits.';

const whoSaid: Readonly<Record<Principal, string>> = {
  user: 'by a person',
  policy: 'since nobody answered in time',
  agent: 'since its agent waited no longer',
};
