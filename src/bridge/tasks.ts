/** The agent's own list of what it does: what was begun and completed since the last time it told it. */
import { objectsIn, textIn, type Json } from '../agents/json-lines.ts';
import type { Print } from './lines.ts';

/** Entries of a list that are followed. */
const mostEntries = 200;

/** Takes the list as often as it is told. */
export function taskList(print: Print): (plan: Json) => void {
  const known = new Map<string, string>();
  return (plan) => {
    const started: string[] = [];
    const completed: string[] = [];
    const entries = objectsIn(plan, 'entries')
      .slice(0, mostEntries)
      .flatMap((entry) => {
        const text = textIn(entry, 'content')?.trim() ?? '';
        return text === '' ? [] : [{ text, status: textIn(entry, 'status') ?? 'pending' }];
      });
    for (const { text, status } of entries) {
      const before = known.get(text) ?? 'pending';
      if (known.size < mostEntries || known.has(text)) known.set(text, status);
      else continue;
      if (before === status) continue;
      if (status === 'in_progress') started.push(text);
      if (status === 'completed') completed.push(text);
    }
    print({ type: 'plan', entries, started, completed });
  };
}
