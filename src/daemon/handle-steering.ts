/** What the loop that lives answers to a person's request over its socket. */
import type { Rejection, Steering } from '../core/commands.ts';
import type { Answer } from './answer.ts';
import type { Loop } from './loop.ts';
import type { Journal } from '../journal/journal.ts';
import { landedIn } from './land.ts';
import { pushAgain } from './not-pushed.ts';
import { complete } from './steer.ts';
import type { Workplace } from './workplace.ts';

/** Completes the request with its facts and lets the loop decide it, unless something is in the way of its run. */
export async function handleSteering(
  {
    loop,
    journal,
    place,
  }: {
    readonly loop: Loop;
    readonly journal: Pick<Journal, 'read'>;
    readonly place: Pick<Workplace, 'git' | 'home' | 'env'>;
  },
  steering: Steering,
  inTheWay: (run: string) => Rejection | null,
): Promise<Answer> {
  const request = await complete(place, loop.state, steering);
  const run = loop.state.runs.get(steering.run);
  const hasLanded =
    steering.kind === 'land' &&
    run !== undefined &&
    (await landedIn(place.git, run, steering.target)) !== null;
  // Asked last, in the step that sends: what gets in the way later finds the request decided.
  const rejection = inTheWay(steering.run);
  if (rejection !== null) return { ok: false, rejection };
  if (steering.kind === 'land') {
    // A person is here: what the remote refused is tried again with it, also when all of it has landed.
    if (pushAgain({ loop, journal }, steering.run) > 0 && hasLanded) return { ok: true };
  }
  return 'rejection' in request ? request : loop.send({ ...request, by: 'user' });
}
