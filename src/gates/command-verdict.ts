/**
 * What the end of a check means, and what of its output goes back to the worker.
 *
 * Exit 0 passes; any other exit is a failure of the work, except those that say that the check itself did not work:
 * 126 and 127 (the shell found nothing to run), and 129 to 159 (a signal ended it), as well as a signal, a time limit
 * or a failed start. These are inconclusive.
 */
import { stripVTControlCharacters } from 'node:util';
import type { VerdictResult } from '../core/events.ts';
import type { CommandResult } from '../process/run.ts';

/** Lines of output that a finding quotes: the last ones. */
const quotedLines = 40;
/** Characters of one quoted line. */
const lineLimit = 2_000;

/** Result of a command, and the sentence that says how it ended (null when it passed). */
export function verdictOf(
  result: CommandResult,
  timeoutMs: number,
): { readonly result: VerdictResult; readonly ended: string | null } {
  const { code, signal, timedOut, spawnError } = result;
  if (spawnError !== null) return inconclusive(`could not be started: ${spawnError}`);
  if (timedOut) return inconclusive(`did not end within ${timeoutMs / 1000} s`);
  if (signal !== null) return inconclusive(`was ended by ${signal}`);
  if (code === 0) return { result: 'pass', ended: null };
  if (code === null) return inconclusive('ended in an unknown way');
  if (code === 126 || code === 127) return inconclusive(`exit ${code}: there was nothing to run`);
  if (code > 128 && code < 160) return inconclusive(`exit ${code}: ended by signal ${code - 128}`);
  return { result: 'fail', ended: `exit ${code}` };
}

function inconclusive(ended: string): { result: 'inconclusive'; ended: string } {
  return { result: 'inconclusive', ended };
}

/** The last lines of an output, word for word, without colours and other terminal controls. */
export function lastLines(output: Uint8Array): readonly string[] {
  const text = stripVTControlCharacters(new TextDecoder().decode(output));
  const lines = text
    .split(/\r?\n/)
    // A progress bar overwrites its line: what stands there last is what a person saw.
    .map((line) => line.slice(line.replace(/\r+$/, '').lastIndexOf('\r') + 1))
    .map((line) => line.replace(/[^\P{Cc}\t]/gu, '').trimEnd())
    .map((line) => (line.length > lineLimit ? `${line.slice(0, lineLimit)} …` : line));
  while (lines.at(-1) === '') lines.pop();
  return lines.slice(-quotedLines);
}
