/** Every verb with its summary. Only the one that is named is loaded, so that each starts quickly. */
import type { Verb } from './verb.ts';

export interface VerbEntry {
  /** One line for the list of verbs, without a full stop. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly verb: Verb }>;
}

/** The verbs in the order in which help lists them. */
export const verbs: Readonly<Record<string, VerbEntry>> = {
  init: { summary: 'set up a home from what is there', load: () => import('./init.ts') },
  validate: {
    summary: 'check the plan files and say everything that is wrong',
    load: () => import('./validate.ts'),
  },
  plan: {
    summary: 'the plan as it would run: show, waves, graph',
    load: () => import('./plan.ts'),
  },
  worker: { summary: 'one worker: new, show', load: () => import('./worker.ts') },
  add: { summary: 'write a worker from a sentence', load: () => import('./add.ts') },
};
