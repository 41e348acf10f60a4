/**
 * Watches who is there in the background for one repository while it is driven. Invariant that it judges: never two
 * daemons that lead it, and never two guardians for longer than one of them can be asleep.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { backgroundOf, type Background } from './processes.ts';

/** Looks at which two leaders must be seen one after the other: one that has just been killed may still be there. */
const looksOfTwo = 3;
/** How long a guardian may sleep before it learns that another one has the repository, milliseconds. */
const asleepMs = 20_000;

export class Census {
  readonly #repo: string;
  #together = 0;
  #guardiansSince: number | null = null;
  /** What was wrong, in one sentence; null while nothing is. */
  finding: string | null = null;

  constructor(repo: string) {
    this.#repo = repo;
  }

  /** Who is there now. */
  look(): Background {
    const seen = backgroundOf(this.#repo);
    const pids = (list: Background['daemons']): string => list.map(({ pid }) => pid).join(' and ');
    this.#together = seen.leaders.length > 1 ? this.#together + 1 : 0;
    if (this.#together >= looksOfTwo) this.finding ??= `two daemons lead: ${pids(seen.leaders)}`;
    if (seen.guardians.length < 2) this.#guardiansSince = null;
    else this.#guardiansSince ??= performance.now();
    if (performance.now() - (this.#guardiansSince ?? Infinity) > asleepMs)
      this.finding ??= `two guardians stay: ${pids(seen.guardians)}`;
    return seen;
  }
}

/** Exit codes with which daemons died under a guardian, as it wrote them down, oldest first. */
export function deathsOf(repo: string): readonly number[] {
  try {
    const text = readFileSync(join(repo, '.czar/logs/daemon.log'), 'utf8');
    return [...text.matchAll(/^czar: the daemon ended with (\d+);/gm)].map(([, code]) =>
      Number(code),
    );
  } catch {
    return [];
  }
}
