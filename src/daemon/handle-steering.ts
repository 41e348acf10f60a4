/** What the loop that lives answers to a person's request over its socket. */
import type { Rejection, Steering } from '../core/commands.ts';
import type { Answer } from './answer.ts';
import type { Loop } from './loop.ts';
import { complete } from './steer.ts';
import type { Workplace } from './workplace.ts';

/** Completes the request with its facts and lets the loop decide it, unless something is in the way of its run. */
export async function handleSteering(
  { loop, place }: { readonly loop: Loop; readonly place: Pick<Workplace, 'git' | 'home' | 'env'> },
  steering: Steering,
  inTheWay: (run: string) => Rejection | null,
): Promise<Answer> {
  const request = await complete(place, loop.state, steering);
  // Asked last, in the step that sends: what gets in the way later finds the request decided.
  const rejection = inTheWay(steering.run);
  if (rejection !== null) return { ok: false, rejection };
  return 'rejection' in request ? request : loop.send({ ...request, by: 'user' });
}
