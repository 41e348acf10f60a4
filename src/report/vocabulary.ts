/** States in the words of other systems: what people who come from them read. Documents always have czar's own. */
import type { WorkerStateName } from '../core/lifecycle.ts';

export const vocabularies = ['czarina', 'story'] as const;

/** The word for a state. */
export type StateWord = (state: WorkerStateName) => string;

/** The words of a vocabulary; what it has no word for is called as czar calls it, in its spelling. */
export function wordsOf(vocabulary: (typeof vocabularies)[number]): StateWord {
  const words: Partial<Record<WorkerStateName, string>> = known[vocabulary];
  const spell = vocabulary === 'czarina' ? upperCase : capitalised;
  return (state) => words[state] ?? spell(state);
}

const known = {
  czarina: {
    pending: 'WAITING',
    starting: 'IN_PROGRESS',
    active: 'IN_PROGRESS',
    verifying: 'IN_PROGRESS',
  },
  story: {
    pending: 'Not Started',
    ready: 'Not Started',
    starting: 'In Progress',
    active: 'In Progress',
    verifying: 'In Progress',
    reviewing: 'Ready for Review',
    complete: 'Approved',
  },
} as const satisfies Record<string, Partial<Record<WorkerStateName, string>>>;

function upperCase(word: string): string {
  return word.toUpperCase();
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
