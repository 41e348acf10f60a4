/** `czar status [WORKER]`: where a run, or one worker of it, stands, now or at a moment of the past. */
import { notPushed } from '../../core/push.ts';
import type { RunState } from '../../core/state.ts';
import { attemptEvents, attemptsOf } from '../../report/attempts.ts';
import { statusDocument, workerStatusDocument, type StatusOptions } from '../../report/status.ts';
import { statusText, workerText } from '../../report/status-text.ts';
import type { Died, GaveUp } from '../../report/unattended.ts';
import { vocabularies, wordsOf, type StateWord } from '../../report/vocabulary.ts';
import { diedHolder, guardianGaveUp, isThere } from '../../daemon/holder.ts';
import type { Place } from '../../daemon/place.ts';
import { lookAtMachine } from '../../plan/machine.ts';
import { isHeld, pastLiveness, type Reader } from '../../daemon/views/read.ts';
import { wrap } from '../../report/cells.ts';
import { exits } from '../exit.ts';
import { chosenRun, chosenWorker, clockOffset, reading } from '../reading.ts';
import type { CliContext, PlainVerb } from '../verb.ts';

export const verb: PlainVerb = {
  words: [
    {
      name: 'worker',
      required: false,
      text: 'show this worker alone, with its tasks, gates, attempts and activity',
    },
  ],
  options: [
    {
      name: 'at',
      value: 'moment',
      text: 'as it was after an event (its number) or at a time (ISO 8601)',
    },
    {
      name: 'vocabulary',
      value: 'words',
      text: 'states in the words of another system',
      choices: vocabularies,
    },
  ],
  act: async (context, { words: [worker], values }) => {
    const vocabulary = vocabularies.find((one) => one === values.get('vocabulary'));
    if (vocabulary !== undefined && context.options.json) {
      return context.fail({
        exit: exits.wrong,
        what: '--vocabulary is for people: documents have one word for each state',
        next: 'leave it out, or leave out --json',
      });
    }
    const word = vocabulary === undefined ? {} : { word: wordsOf(vocabulary) };
    await reading(context, (reader, place) => {
      const seen = seenAt(context, { reader, place, at: values.get('at') });
      if (seen !== null) show(context, { ...seen, ...word, reader, worker: worker ?? null });
    });
  },
};

/** A state and how to look at it; `upTo` is the last event in it. */
type Seen = Omit<StatusOptions, 'run'> & {
  readonly upTo: number;
  readonly died: Died | null;
  readonly gaveUp: GaveUp | null;
};

function show(
  context: CliContext,
  options: Seen & {
    readonly reader: Reader;
    readonly worker: string | null;
    readonly word?: StateWord;
  },
): void {
  const { out } = context;
  const { state, reader, upTo, worker: id, word } = options;
  const run = chosenRun(context, state);
  if (run === null) return;
  const text = {
    name: run.plan.name,
    width: out.width() ?? Infinity,
    offsetMinutes: clockOffset(options.now),
    ...(word === undefined ? {} : { word }),
    ...(options.loop === undefined
      ? {}
      : { loop: options.loop, died: options.died, gaveUp: options.gaveUp }),
  };
  if (id === null) {
    const document = statusDocument({ ...options, run, refused: refusedOf(reader, run, upTo) });
    if (context.options.json) out.json(document);
    else
      for (const line of statusText(document, text)) {
        for (const part of wrap(line, text.width)) out.line(part);
      }
    return;
  }
  const worker = chosenWorker(context, run, id);
  if (worker === null) return;
  const events = reader.events({ run: run.id, worker: id, types: attemptEvents, upTo });
  const document = workerStatusDocument(worker, { ...options, run, attempts: attemptsOf(events) });
  if (context.options.json) out.json(document);
  else for (const line of workerText(document, text)) out.line(line);
}

function seenAt(
  context: CliContext,
  { reader, place, at }: { reader: Reader; place: Place; at: string | undefined },
): Seen | null {
  if (at === undefined) {
    const now = context.now();
    const state = reader.loadCurrent(context.options.run);
    const loop = isHeld(place) ? 'alive' : 'none';
    return {
      state,
      upTo: state.seq,
      now,
      liveness: reader.liveness(now),
      loop,
      machine: lookAtMachine([place.home.path, place.commonDir]),
      died: diedHere(reader, place),
      gaveUp: guardianGaveUp(place),
    };
  }
  const last = reader.lastSeq();
  const isSeq = /^\d+$/.test(at);
  const time = isSeq ? null : Date.parse(at);
  if (time !== null && Number.isNaN(time)) {
    context.fail({
      exit: exits.wrong,
      what: `${JSON.stringify(at)} is neither the number of an event nor a time`,
      next: 'write --at 120, or --at 2025-12-26T14:32:00Z',
    });
    return null;
  }
  const upTo = time === null ? Number(at) : reader.seqAt(time);
  if (upTo < 1 || upTo > last) {
    context.fail({
      exit: exits.nothing,
      what: upTo < 1 ? 'the log begins after that' : `the log ends at event ${last}`,
      next: 'czar events --json shows the numbers of events',
    });
    return null;
  }
  const state = reader.stateAt(upTo);
  const [event] = reader.events({ after: upTo - 1, limit: 1 });
  const now = time ?? event?.at ?? context.now();
  return { state, upTo, now, liveness: pastLiveness(now), died: null, gaveUp: null };
}

/** Branches of the run that the remote did not take, each with the reason. */
function refusedOf(reader: Reader, run: RunState, upTo: number): Readonly<Record<string, string>> {
  if (run.plan.policies.push !== true) return {};
  return notPushed(run, reader.events({ run: run.id, types: ['refs.pushed'], upTo }));
}

function diedHere(reader: Reader, place: Place): Died | null {
  const owner = diedHolder(place);
  if (owner === null) return null;
  const [event] = reader.events({ after: reader.lastSeq() - 1, limit: 1 });
  const guardian = owner.daemon?.guardian ?? null;
  return {
    what: owner.daemon === undefined ? 'run' : 'daemon',
    pid: owner.pid,
    at: event?.at ?? 0,
    guarded: guardian !== null && isThere(guardian),
  };
}
