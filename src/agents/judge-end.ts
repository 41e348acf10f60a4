/** What the end of an attempt means, by what it left in its folder. */
import type { AttemptEnd, Judgement } from '../core/events.ts';
import type { AttemptLimits } from '../core/plan.ts';
import type { Adapter } from './adapter.ts';
import { lastOutput, lastWords, spokenWords, type AttemptFiles } from './attempt-files.ts';

/** Bytes of output that are read to judge an end: an answer can be long, and it stands in the last line. */
const endBytes = 4 * 1024 * 1024;

/** The judgement of its adapter, with what it said last, newest last. `now` is milliseconds since 1970. */
export function judgeEnd(
  { prints, show, read, judge }: Adapter,
  files: AttemptFiles,
  ended: { readonly end: AttemptEnd; readonly limits: AttemptLimits; readonly now: number },
): { readonly judgement: Judgement; readonly lastWords: readonly string[] } {
  const output = prints === 'json' ? lastOutput(files, endBytes) : [];
  const words =
    prints === 'json'
      ? spokenWords(files, { output, show }, 20)
      : // A line that was counted says nothing to a person.
        lastWords(files, 20).filter((line) => read(line).length === 0);
  return { judgement: judge({ ...ended, lastWords: words, output }), lastWords: words };
}
