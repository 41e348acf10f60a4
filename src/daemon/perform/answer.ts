/** Brings an answer to the attempt that waits for it; again, after a crash, changes nothing. */
import type { Outcome } from '../../core/commands.ts';
import type { Intent } from '../../core/intents.ts';
import { reach } from '../../git/context.ts';
import { writeAnswer } from '../../process/answer-file.ts';
import { attemptOf, filesOf } from './attempt-end.ts';
import type { Workplace } from '../workplace.ts';

/** Puts it where the attempt looks. */
export async function deliverAnswer(
  place: Workplace,
  intent: Extract<Intent, { kind: 'answer' }>,
): Promise<Outcome> {
  const { id, decision, text } = intent;
  await reach(place.git, 'answer:before-write');
  writeAnswer(filesOf(place, intent).attemptDir, id, { decision, text });
  await reach(place.git, 'answer:after-write');
  return { kind: 'answer-delivered', ...attemptOf(intent), id };
}
