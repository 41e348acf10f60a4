/**
 * What a session has cost, as its agent tells it: from the beginning of the session on, whichever attempt it was in. Each
 * attempt notes it in its folder, so that the next one counts only what is its own.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { numberIn, objectOn, textIn } from '../agents/json-lines.ts';

const fileName = 'session-cost.json';

/** What the session had cost before this attempt, USD; 0 when nobody noted it: then all of it counts as this one's. */
export function costBefore(attemptDir: string, session: string): number {
  for (let attempt = Number(basename(attemptDir)) - 1; attempt > 0; attempt -= 1) {
    const noted = noteIn(join(dirname(attemptDir), String(attempt)));
    if (noted?.session === session) return noted.costUsd;
  }
  return 0;
}

/** Notes what it has cost so far. */
export function noteCost(attemptDir: string, session: string, costUsd: number): void {
  try {
    writeFileSync(join(attemptDir, fileName), JSON.stringify({ session, costUsd }), {
      mode: 0o600,
    });
  } catch {
    // A full disk: the next attempt counts too much rather than too little.
  }
}

function noteIn(dir: string): { readonly session: string; readonly costUsd: number } | null {
  try {
    const note = objectOn(readFileSync(join(dir, fileName), 'utf8')) ?? {};
    const session = textIn(note, 'session');
    return session === null ? null : { session, costUsd: numberIn(note, 'costUsd') ?? 0 };
  } catch {
    return null;
  }
}
