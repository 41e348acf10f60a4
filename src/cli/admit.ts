/** What begins in a loop that is being opened here, a person being asked where files have changed. */
import { begin, type Beginning } from '../daemon/begin.ts';
import { sayRefusal, settlesChanges, type Asking } from './wanted.ts';
import type { CliContext } from './verb.ts';

/** Decides what begins; null when it is refused, which has been said. */
export async function admit(
  context: CliContext,
  at: Omit<Parameters<typeof begin>[0], 'wanted' | 'now' | 'path'> & { readonly asking: Asking },
): Promise<Beginning | null> {
  const now = context.now();
  const { wanted } = at.asking;
  const path = context.env['PATH'] ?? '';
  let began = await begin({ ...at, path, wanted, now });
  if (!began.ok && (await settlesChanges(context, began.refusal.differences)))
    began = await begin({ ...at, path, wanted: { ...wanted, changes: 'amend' }, now });
  if (!began.ok) {
    sayRefusal(context, began.refusal);
    return null;
  }
  for (const note of began.notes) context.out.note(note);
  return began;
}
