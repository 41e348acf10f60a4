/** `czar events`: the log, as it stands or as it grows. */
import { setImmediate } from 'node:timers/promises';
import type { Event } from '../../core/events.ts';
import type { Reader } from '../../daemon/views/read.ts';
import { eventDocument } from '../../report/event-document.ts';
import { classicNames, renderEvent, type EventFormat } from '../../report/event-line.ts';
import { chosenRun, chosenWorker, reading, streamEnd } from '../reading.ts';
import type { CliContext, PlainVerb } from '../verb.ts';

interface EventOptions {
  readonly follow: boolean;
  readonly worker: string | undefined;
  readonly format: EventFormat;
  readonly limit: number | undefined;
  readonly after: number;
}

const formats: readonly EventFormat[] = ['line', 'classic', 'json'];

export const verb: PlainVerb = {
  words: [],
  options: [
    { name: 'follow', short: 'f', text: 'go on as events come, until Ctrl-C' },
    { name: 'worker', value: 'id', text: 'only events of this worker' },
    {
      name: 'format',
      value: 'format',
      text: 'how each event is shown',
      choices: formats,
      fallback: 'line',
    },
    { name: 'limit', value: 'n', text: 'only the last n events', wrong: notWhole },
    {
      name: 'after',
      value: 'seq',
      text: 'only events after the one of this number',
      wrong: notWhole,
    },
  ],
  act: async (context, { flags, values }) => {
    const number = (name: string): number | undefined =>
      values.has(name) ? Number(values.get(name)) : undefined;
    const options = {
      follow: flags.has('follow'),
      worker: values.get('worker'),
      format: formats.find((format) => format === values.get('format')) ?? 'line',
      limit: number('limit'),
      after: number('after') ?? 0,
    };
    await reading(context, (reader) => stream(context, reader, options));
  },
};

async function stream(context: CliContext, reader: Reader, options: EventOptions): Promise<void> {
  const { follow, after, limit } = options;
  if (!isThere(context, reader, options)) return;
  const filter = {
    ...(context.options.run === null ? {} : { run: context.options.run }),
    ...(options.worker === undefined ? {} : { worker: options.worker }),
  };
  using end = streamEnd(context);
  let upTo = reader.lastSeq();
  const shown = shownIn(context.options.json ? 'json' : options.format);
  const first =
    limit === undefined
      ? reader.events({ ...filter, after, upTo })
      : lastOf(reader.events({ ...filter, after, upTo, newestFirst: true }), { shown, limit });
  await printAll(first, printer(context, reader, options), end.signal);
  if (!follow) return;
  for await (const _ of reader.changes(end.signal)) {
    const last = reader.lastSeq();
    if (last === upTo) continue;
    const next = reader.events({ ...filter, after: upTo, upTo: last });
    await printAll(next, printer(context, reader, options), end.signal);
    upTo = last;
  }
}

/** Whether the run and the worker that are named exist; if not, that has been said. */
function isThere(context: CliContext, reader: Reader, { worker }: EventOptions): boolean {
  const named = context.options.run !== null;
  if (!named && worker === undefined) return true;
  const state = named ? reader.loadCurrent(context.options.run) : reader.load();
  const run = named ? chosenRun(context, state) : null;
  if (named && run === null) return false;
  if (worker === undefined) return true;
  const runs = run === null ? [...state.runs.values()] : [run];
  const newest = runs.at(-1);
  if (newest === undefined || runs.some((one) => one.workers.has(worker))) return true;
  return chosenWorker(context, newest, worker) !== null;
}

/** The last `limit` of those that are shown, in their order; `newestFirst` is read no further than needed. */
function lastOf(
  newestFirst: Iterable<Event>,
  { shown, limit }: { readonly shown: (event: Event) => boolean; readonly limit: number },
): readonly Event[] {
  const found: Event[] = [];
  if (limit === 0) return found;
  for (const event of newestFirst) {
    if (shown(event)) found.push(event);
    if (found.length === limit) break;
  }
  return found.reverse();
}

/** Which events a format shows. How far reports were read is bookkeeping, for machines. */
function shownIn(format: EventFormat): (event: Event) => boolean {
  switch (format) {
    case 'json':
      return () => true;
    case 'line':
      return ({ type }) => type !== 'attempt.read';
    case 'classic':
      return ({ type }) => classicNames[type] !== undefined;
  }
}

/** Prints in portions, so that a reader that went away, and Ctrl-C, are noticed in between. */
async function printAll(
  events: Iterable<Event>,
  print: (event: Event) => void,
  signal: AbortSignal,
): Promise<void> {
  let count = 0;
  for (const event of events) {
    if (signal.aborted) return;
    print(event);
    count += 1;
    if (count % 500 === 0) await setImmediate();
  }
}

/** Prints an event, with tokens as they are when the first of them is asked for. */
function printer(
  context: CliContext,
  reader: Reader,
  { format }: EventOptions,
): (event: Event) => void {
  const { out } = context;
  if (context.options.json || format === 'json') return (event) => out.json(eventDocument(event));
  const shown = shownIn(format);
  const tokens = reader.tokens();
  return (event) => {
    if (!shown(event)) return;
    const line = renderEvent(event, { format, tokens });
    if (line !== null) out.line(line);
  };
}

function notWhole(text: string): string | null {
  return /^\d{1,15}$/.test(text) ? null : 'It must be a whole number.';
}
