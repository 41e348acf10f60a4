/** What every adapter makes of an end that is not the agent's own word, and of a program that could not be started. */
import { overLimitText } from '../core/attempt-limits.ts';
import type { Judgement } from '../core/events.ts';
import { shimName } from '../process/runner-text.ts';
import type { Ending } from './adapter.ts';

/** What the end means; null when the program ended by itself, with a code that is its agent's to explain. */
export function notItsOwn({ end, lastWords, limits }: Ending): Judgement | null {
  switch (end.how) {
    case 'lost':
      return { kind: 'lost', why: end.why };
    case 'stopped':
      switch (end.why) {
        case 'timeout':
          return { kind: 'failed', reason: 'it reached its time limit', final: false };
        case 'processes':
        case 'memory':
          return { kind: 'failed', reason: overLimitText(end.why, limits), final: false };
        case 'unattended':
          return { kind: 'lost', why: 'nobody watched it for too long' };
        case 'requested':
        case 'interrupted':
          return { kind: 'lost', why: 'it was stopped' };
      }
      break;
    case 'exited':
      return notStarted(end.code, lastWords);
  }
}

function notStarted(code: number, lastWords: readonly string[]): Judgement | null {
  const shimWord = lastWords.findLast((line) => line.startsWith(`${shimName}:`));
  if ((code !== 126 && code !== 127) || shimWord === undefined) return null;
  // The shells put a line number and the name of the builtin before what they say.
  const said = shimWord.slice(shimName.length + 1).replace(/^\s*(line )?\d+:\s*(exec:\s*)?/, '');
  return {
    kind: 'failed',
    reason: `its program could not be started: ${said.trim()}`,
    final: true,
  };
}

/** What an exit code means of which nothing else is known. */
export function byExitCode(code: number, lastWords: readonly string[]): Judgement {
  if (code === 0) return { kind: 'well' };
  const last = lastWords.at(-1);
  const reason = `it ended with exit code ${code}${last === undefined ? '' : `: ${last}`}`;
  return { kind: 'failed', reason, final: false };
}

/** The exit code of an end; null when there is none. */
export function exitCode({ end }: Ending): number | null {
  return end.how === 'lost' ? null : end.code;
}
