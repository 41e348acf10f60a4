/** What a look at the repository and the machine found, and what it looks at. */
import type { RepositoryState } from '../core/state.ts';
import type { Place } from '../daemon/place.ts';
import type { GitContext } from '../git/context.ts';
import type { LoadedPlan } from '../plan/load.ts';

/** `problem`: something does not work or is in danger. `warn`: worth knowing. */
export type Level = 'ok' | 'warn' | 'problem';

export interface Finding {
  /** What was looked at, a word or two. */
  readonly check: string;
  readonly level: Level;
  /** One sentence. */
  readonly what: string;
  readonly where: string | null;
  /** What to do, as a command where there is one. */
  readonly next: string | null;
  /** Mends it without any loss; only under the repository's lock. Absent where a person must decide. */
  readonly mend?: () => Promise<void>;
}

/** What is looked at. */
export interface Patient {
  readonly place: Place;
  readonly git: GitContext;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly plan: LoadedPlan;
  /** Whether a loop, or another command, works on the repository now: what is half done then is no one's leavings. */
  readonly busy: boolean;
  /** What the log says; null when there is none, or it cannot be read. */
  readonly state: RepositoryState | null;
}

/** A finding with nothing to say. */
export function ok(check: string, what: string, where: string | null = null): Finding {
  return { check, level: 'ok', what, where, next: null };
}

/** A finding that is worth knowing. */
export function warn(
  check: string,
  of: { readonly what: string; readonly where?: string | null; readonly next?: string | null },
  mend?: () => Promise<void>,
): Finding {
  const { what, where = null, next = null } = of;
  return { check, level: 'warn', what, where, next, ...(mend === undefined ? {} : { mend }) };
}

/** A finding that must be dealt with. */
export function problem(
  check: string,
  of: { readonly what: string; readonly where?: string | null; readonly next?: string | null },
): Finding {
  const { what, where = null, next = null } = of;
  return { check, level: 'problem', what, where, next };
}
