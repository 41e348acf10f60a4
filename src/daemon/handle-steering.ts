/** What the loop that lives answers to a person's request over its socket. */
import type { Rejection, Steering } from '../core/commands.ts';
import type { OpenLoop } from './open-loop.ts';
import { complete } from './steer.ts';

/** Completes the request with its facts and lets the loop decide it. */
export async function handleSteering(
  { loop, place }: OpenLoop,
  steering: Steering,
): Promise<
  | { readonly v: 1; readonly ok: true }
  | { readonly v: 1; readonly ok: false; readonly rejection: Rejection }
> {
  const request = await complete(place, loop.state, steering);
  if ('rejection' in request) return { v: 1, ok: false, rejection: request.rejection };
  const answer = await loop.send({ ...request, by: 'user' });
  return answer.ok ? { v: 1, ok: true } : { v: 1, ok: false, rejection: answer.rejection };
}
