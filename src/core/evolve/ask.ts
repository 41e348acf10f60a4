/** What an attempt waits for an answer to, as the log tells it. */
import type { EventOf } from '../events.ts';
import { requestText } from '../permissions.ts';
import type { Ask, Note, WorkerState } from '../state.ts';
import { attempt, say } from './worker-parts.ts';

/** Settled ones that are remembered: an answer that comes twice is known by them. */
const settledKept = 20;

/** The worker after something was asked, answered or brought to its attempt. */
export function evolveAsk(
  worker: WorkerState,
  event: EventOf<
    | 'worker.asked'
    | 'worker.answered'
    | 'permission.requested'
    | 'permission.answered'
    | 'answer.delivered'
  >,
): WorkerState {
  const { at } = event;
  const open = { at, answer: null, delivered: false };
  switch (event.type) {
    case 'worker.asked': {
      const { text, wait } = event.data;
      if (wait === undefined) return worker;
      const what = { kind: 'question', text } as const;
      const { id, ms } = wait;
      return {
        ...say(worker, at, `asks, and waits: ${text}`),
        ...adding(worker, { ...open, id, what, afterMs: ms, instead: 'deny' }),
      };
    }
    case 'permission.requested': {
      const { request, ...rest } = event.data;
      const what = { kind: 'permission', request } as const;
      return {
        ...say(worker, at, `wants to: ${requestText(request)}`),
        ...adding(worker, { ...open, ...rest, what }),
      };
    }
    case 'worker.answered': {
      const { id, text, by } = event.data;
      const question = worker.attempt?.asks.find((ask) => ask.id === id)?.what;
      const asked = question?.kind === 'question' ? question.text : '';
      const decision = text === null ? 'deny' : 'allow';
      return {
        ...say(worker, at, text === null ? `${id}: no answer` : `answer: ${text}`),
        ...changing(worker, id, { answer: { decision, text, by }, delivered: by === 'agent' }),
        notes: text === null ? worker.notes : answered(worker, { asked, text, at }),
      };
    }
    case 'permission.answered': {
      const { id, ...answer } = event.data;
      const how = answer.decision === 'allow' ? 'allowed' : 'denied';
      return {
        ...say(worker, at, `${id} ${how} by ${answer.by}`),
        ...changing(worker, id, { answer, delivered: answer.by === 'agent' }),
      };
    }
    case 'answer.delivered':
      return { ...worker, ...changing(worker, event.data.id, { delivered: true }) };
  }
}

type Patch = Pick<WorkerState, 'attempt'>;

function adding(worker: WorkerState, ask: Ask): Patch {
  const asks = worker.attempt?.asks ?? [];
  const settled = asks.filter((one) => one.delivered);
  const forgotten = new Set(settled.slice(0, Math.max(0, settled.length - settledKept)));
  return {
    attempt: attempt(worker, { asks: [...asks.filter((one) => !forgotten.has(one)), ask] }),
  };
}

function changing(worker: WorkerState, id: string, patch: Partial<Ask>): Patch {
  const asks = (worker.attempt?.asks ?? []).map((ask) =>
    ask.id === id && !ask.delivered ? { ...ask, ...patch } : ask,
  );
  return { attempt: attempt(worker, { asks }) };
}

/** For an attempt whose session does not hold it: the question, and what was answered. */
function answered(
  { notes }: WorkerState,
  { asked, text, at }: { readonly asked: string; readonly text: string; readonly at: number },
): readonly Note[] {
  return [...notes, { kind: 'finding', text: asked, at }, { kind: 'answer', text, at }];
}
