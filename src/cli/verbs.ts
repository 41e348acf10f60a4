/** Every verb with its summary. Only the one that is named is loaded, so that each starts quickly. */
import type { Verb } from './verb.ts';

export interface VerbEntry {
  /** One line for the list of verbs, without a full stop. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly verb: Verb }>;
}

/** The verbs in the order in which help lists them. */
export const verbs: Readonly<Record<string, VerbEntry>> = {};
