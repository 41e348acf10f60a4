/** When steps of a loop run: on the event loop of Node, or as a simulation has it. */

/** When the loop's own steps run; a simulation brings its own. */
export interface Scheduler {
  /** Runs the step soon, after what runs now. */
  readonly immediate: (step: () => void) => void;
  /** Runs the step after a delay in milliseconds; gives the function that calls it off. */
  readonly timer: (step: () => void, delayMs: number) => () => void;
}

/** The event loop of Node. */
export const eventLoop: Scheduler = {
  immediate: (step) => {
    setImmediate(step);
  },
  timer: (step, delayMs) => {
    const timer = setTimeout(step, delayMs);
    return () => clearTimeout(timer);
  },
};
