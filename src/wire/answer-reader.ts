/**
 * Reads what a model's answer says of its tokens while the answer passes by: a JSON document, or a stream of server-sent
 * events. Pure; keeps nothing of the answer.
 */
import type { Usage } from '../core/events.ts';
import { jsonFigures, type Figures } from './figures-in-json.ts';
import { together, usageOf } from './usage-of-figures.ts';

export interface AnswerReader {
  /** The next piece of the answer, as it came. */
  readonly take: (bytes: Uint8Array) => void;
}

/** A reader of one answer; `told` is called with all that is known of it whenever more is. */
export function answerReader(
  contentType: string | undefined,
  told: (usage: Usage) => void,
): AnswerReader | null {
  const kind = (contentType ?? '').split(';')[0]?.trim().toLowerCase();
  let known: Figures = {};
  const figures = jsonFigures((found) => {
    known = together(known, found);
    told(usageOf(known));
  });
  if (kind === 'text/event-stream') return events(figures);
  return kind === 'application/json' || kind?.endsWith('+json') === true ? figures : null;
}

const [lineFeed, carriageReturn] = Buffer.from('\n\r');
const field = Buffer.from('data:');

/** The data of each event is a document. */
function events({ take, reset }: ReturnType<typeof jsonFigures>): AnswerReader {
  /** How many bytes of the line came, and whether they are those of `data:` so far. */
  let length = 0;
  let isData = true;
  const line = (part: Uint8Array): void => {
    for (let at = 0; at < part.length && length < field.length; at += 1) {
      isData &&= part[at] === field[length];
      length += 1;
      if (length === field.length && isData) take(part.subarray(at + 1));
    }
  };
  return {
    take: (bytes) => {
      let from = 0;
      while (from < bytes.length) {
        const end = bytes.indexOf(lineFeed ?? 0, from);
        const part = bytes.subarray(from, end < 0 ? bytes.length : end);
        if (length >= field.length) {
          if (isData) take(part);
        } else if (part.length > 0 && !(length === 0 && part[0] === carriageReturn)) line(part);
        if (end < 0) return;
        // An empty line ends an event.
        if (length === 0) reset();
        length = 0;
        isData = true;
        from = end + 1;
      }
    },
  };
}
