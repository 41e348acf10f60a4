/** Beginning what is asked of a loop that lives: on its state, one after the other. */
import { begin, type Began } from './begin.ts';
import { refusal, type Wanted } from './choose-run.ts';
import type { OpenLoop } from './open-loop.ts';
import type { Place } from './place.ts';
import { inspectRepository } from './repository.ts';

/** Begins what is wanted and tells what began, or why nothing did. */
export async function beginInLoop(
  { loop, place }: OpenLoop,
  at: { readonly place: Place; readonly wanted: Wanted },
): Promise<Began> {
  const found = await inspectRepository({ directory: at.place.root });
  if (found.kind === 'refused') return refusal(found.passing ? 4 : 2, found.reason);
  if (found.kind === 'failed') return refusal(4, found.error);
  const { git, now, env } = place;
  const path = env['PATH'] ?? '';
  const { facts } = found;
  const began = await begin({ ...at, facts, git, state: loop.state, now: now(), path });
  if (!began.ok) return began;
  for (const request of began.requests) {
    const answer = await loop.send({ ...request, by: 'user' });
    if (answer.ok) continue;
    const { exit, what, next } = answer.rejection;
    return refusal(exit, what.replace(/\.$/, ''), { next });
  }
  return began;
}
