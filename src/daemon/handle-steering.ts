/** What the loop that lives answers to a person's request over its socket. */
import type { Steering } from '../core/commands.ts';
import type { Answer } from './loop.ts';
import type { OpenLoop } from './open-loop.ts';
import { complete } from './steer.ts';

/** Completes the request with its facts and lets the loop decide it. */
export async function handleSteering(
  { loop, place }: OpenLoop,
  steering: Steering,
): Promise<Answer> {
  const request = await complete(place, loop.state, steering);
  return 'rejection' in request ? request : loop.send({ ...request, by: 'user' });
}
