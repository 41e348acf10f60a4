/** What who asks a loop is answered. */
import type { Rejection } from '../core/commands.ts';
import type { Decision } from '../core/decision.ts';

/** `said` is what the decision tells in place of what such a request usually comes to. */
export type Answer =
  | { readonly ok: true; readonly said?: string }
  | { readonly ok: false; readonly rejection: Rejection };

/** What who asked is answered with a decision that is durable. */
export function answerOf(decision: Decision): Answer {
  if (!decision.ok) return { ok: false, rejection: decision.rejection };
  return decision.said === undefined ? { ok: true } : { ok: true, said: decision.said };
}
