/** Exit codes of the command line, and the one shape in which a verb says why it could not act. */

/** What each exit code means. */
export const exits = {
  /** Done. */
  done: 0,
  /** What was started ended with failures. */
  failed: 1,
  /** Wrong usage, configuration or plan; nothing changed. */
  wrong: 2,
  /** Nothing to act on: no run, no such worker, no plan. */
  nothing: 3,
  /** Refused because of the present state. */
  refused: 4,
  /** The run waits for a person. */
  waiting: 5,
  /** Interrupted by a signal. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exits)[keyof typeof exits];

/**
 * Why a verb could not act: printed in at most three lines on stderr, and with `--json` as the one document
 * `{"v":1,"error":{code,what,where,next}}` on stdout.
 */
export interface Failure {
  readonly exit: ExitCode;
  /** One sentence without a full stop. */
  readonly what: string;
  /** File, worker, run or option concerned. */
  readonly where?: string | null;
  /** What to do next, as a command where there is one. */
  readonly next?: string | null;
  /** The thrown value behind it: its stack is shown with `--debug`. */
  readonly cause?: unknown;
}
