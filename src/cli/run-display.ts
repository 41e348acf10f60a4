/**
 * What a person sees while a run goes on: one line for each change of state, and on a terminal a picture of the moment
 * below them, drawn again in place. Everything goes to stderr; stdout has the closing summary alone.
 */
import type { Event } from '../core/events.ts';
import type { RepositoryState, RunState } from '../core/state.ts';
import { wordsOfLive } from '../daemon/views/last-words.ts';
import type { StallCause } from '../daemon/notices.ts';
import { wrap } from '../report/cells.ts';
import { renderEvent } from '../report/event-line.ts';
import { clockTime } from '../report/figures.ts';
import { changeLine, progressLines } from '../report/progress.ts';
import { statusDocument } from '../report/status.ts';
import { summaryLines } from '../report/summary.ts';
import type { CliContext } from './verb.ts';

export interface RunDisplay {
  readonly show: (events: readonly Event[], state: RepositoryState) => void;
  /** Says something at once, and keeps it in the picture. */
  readonly say: (text: string) => void;
  /** Says once, with the time, what is no event of the run. */
  readonly log: (text: string) => void;
  /** Says, while a run is followed, that the log cannot be written, and (null) that it can again. */
  readonly stalled: (why: StallCause | null) => void;
  /** Draws the picture of the run until disposed. */
  readonly follow: (run: string, state: () => RepositoryState) => Disposable;
  readonly summary: (run: RunState, state: RepositoryState) => void;
}

/** When a run has been followed to its end, nothing of it lives. */
const unasked = {
  state: 'none',
  observedAt: 0,
  lastOutputAt: null,
  lastReportAt: null,
  lastCommitAt: null,
} as const;

/** How often times and last words in the picture go on, milliseconds. */
const redrawMs = 1_000;

/** The display of one `czar run`; `home` is where agents' outputs are. With `verbose`, also of what changes no state. */
export function runDisplay(
  context: CliContext,
  home: string,
  {
    verbose,
    refused = () => ({}),
  }: {
    readonly verbose: boolean;
    /** Branches of a run that the remote did not take, with the reasons. */
    readonly refused?: (run: RunState) => Readonly<Record<string, string>>;
  } = { verbose: false },
): RunDisplay {
  const { out } = context;
  const offsetMinutes = -new Date(context.now()).getTimezoneOffset();
  let notice: string | null = null;
  let draw = (): void => {};
  let followed = false;
  return {
    show: (events, state) => {
      for (const event of events) {
        const run = event.run === undefined ? null : (state.runs.get(event.run) ?? null);
        const line =
          changeLine(event, { run, offsetMinutes }) ??
          (verbose ? renderEvent(event, { format: 'line', tokens: () => null }) : null);
        if (line !== null) out.note(line);
      }
      draw();
    },
    say: (text) => {
      notice = text;
      out.note(text);
      draw();
    },
    log: (text) => {
      out.note(`${clockTime(context.now(), offsetMinutes)} ${text}`);
      draw();
    },
    stalled: (why) => {
      // Before that, what cannot be written is refused.
      if (!followed) return;
      const text = stallText(why);
      notice = why === null ? null : text;
      out.note(text);
      draw();
    },
    follow: (id, state) => {
      followed = true;
      draw = () => {
        const canvas = out.canvas();
        const run = state().runs.get(id);
        if (canvas === null || run === undefined) return;
        const rows = Math.max(4, Math.floor(canvas.rows / 2));
        const lastWords = wordsOfLive(home, run, context.env);
        const now = context.now();
        out.picture(
          progressLines({ run, now, columns: canvas.columns - 1, rows, notice, lastWords }),
        );
      };
      draw();
      const timer = out.canvas() === null ? null : setInterval(() => draw(), redrawMs);
      return {
        [Symbol.dispose]() {
          if (timer !== null) clearInterval(timer);
          draw = () => {};
          followed = false;
          out.picture([]);
        },
      };
    },
    summary: (run, state) => {
      const now = context.now();
      if (context.options.json) {
        return out.json(statusDocument({ state, run, now, liveness: () => unasked }));
      }
      const width = out.width() ?? Infinity;
      for (const line of summaryLines({ state, run, now, width, refused: refused(run) }))
        for (const part of wrap(line, width)) out.line(part);
    },
  };
}

/** The sentence that is said when the log cannot be written, and (null) when it can again. */
export function stallText(why: StallCause | null): string {
  if (why === null) return 'The log can be written again: the run goes on.';
  return why.reason === 'full'
    ? 'The disk is full: nothing is started until there is space.'
    : `The log cannot be written (${why.message}): nothing is started until it can.`;
}
