/**
 * What an agent says comes in pieces, each a few letters: together they are lines. A line is printed when it is whole,
 * and the rest of one when something else happens, it is long, or a moment has passed.
 */
import type { Print } from './lines.ts';

type Kind = 'text' | 'thought';

/** Characters after which a line is printed whether it is whole or not. */
const most = 4096;
/** How long a piece waits for the rest of its line, milliseconds. */
const patienceMs = 500;

export interface Words {
  readonly say: (kind: Kind, piece: string) => void;
  /** Prints what is left. */
  readonly flush: () => void;
}

/** Joins pieces to lines. */
export function words(print: Print): Words {
  let kind: Kind = 'text';
  let held = '';
  let timer: NodeJS.Timeout | null = null;
  const flush = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (held !== '') print({ type: kind, text: held });
    held = '';
  };
  return {
    flush,
    say(of, piece) {
      if (of !== kind) flush();
      kind = of;
      held += piece;
      const end = held.length > most ? held.length : held.lastIndexOf('\n') + 1;
      if (end > 0) {
        const rest = held.slice(end);
        held = held.slice(0, end).replace(/\n$/, '');
        flush();
        held = rest;
      }
      if (held !== '' && timer === null) timer = setTimeout(flush, patienceMs);
    },
  };
}
