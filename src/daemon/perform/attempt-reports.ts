/**
 * Reads what an attempt reports, from where the log says it was read before: the report file that `czar emit` appends
 * to, and the lines of its output that say something. Each line counts once. What was read of the output is dropped when
 * it is too much.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Adapter, Said } from '../../agents/adapter.ts';
import type { Outcome } from '../../core/commands.ts';
import type { Report } from '../../core/events.ts';
import type { RunState, WorkerState } from '../../core/state.ts';
import { droppedBytes, keepBounded } from '../../process/bounded-file.ts';
import { maxReportLineBytes, parseReportLine } from '../../process/report-file.ts';
import { readLines, type Line } from '../../process/tail.ts';
import { adapterOf } from './agent-of.ts';
import { attemptDir, type Workplace } from '../workplace.ts';

interface AttemptOf {
  readonly run: string;
  readonly worker: string;
  readonly attempt: number;
}

/** So much of what an attempt left at its end is read without a pause, bytes. */
const briefBytes = 16 * 1024;

/** Offsets in the two files, bytes, counted from the first one that was ever written. */
export interface ReadSoFar {
  readonly reportOffset: number;
  readonly outputOffset: number;
}

/** Reads on from `from` in the attempt's folder; reports what is new until nothing is. `atEnd`: the files grow no more. */
export async function readReports(
  dir: string,
  options: {
    readonly of: AttemptOf;
    readonly from: ReadSoFar;
    /** Reads the lines of its output. */
    readonly read: Adapter['read'];
    readonly atEnd: boolean;
    readonly report: (outcome: Outcome) => Promise<void>;
  },
): Promise<ReadSoFar> {
  const { of, atEnd, report } = options;
  let at = options.from;
  for (;;) {
    const said = readLines({
      path: join(dir, 'report'),
      offset: at.reportOffset,
      maxLineBytes: maxReportLineBytes,
      atEnd,
    });
    const output = join(dir, 'output');
    const dropped = droppedBytes(output);
    const printed = readLines({
      path: output,
      offset: Math.max(0, at.outputOffset - dropped),
      atEnd,
      objects: true,
    });
    const reports: Report[] = [];
    const refused: string[] = [];
    for (const line of said.lines) {
      if (line.cut) refused.push('a report line is too long');
    }
    take(said.lines, reportOn, { reports, refused });
    take(printed.lines, options.read, { reports, refused });
    const next = { reportOffset: said.offset, outputOffset: dropped + printed.offset };
    bound(dir, next.outputOffset);
    const read = {
      report: next.reportOffset - at.reportOffset,
      output: next.outputOffset - at.outputOffset,
    };
    if (read.report <= 0 && read.output <= 0) return at;
    // A page at a time: whatever an agent prints, the loop goes on between two of them.
    if (!atEnd || read.report + read.output > briefBytes) await setImmediate();
    at = next;
    if (reports.length > 0 || refused.length > 0) {
      await report({ kind: 'reports', ...of, reports, refused, ...at });
    }
  }
}

/** Keeps what an attempt prints from filling the disk. */
function bound(dir: string, outputRead: number): void {
  try {
    keepBounded(join(dir, 'output'), outputRead);
    keepBounded(join(dir, 'errors'), Infinity);
  } catch {
    // A full disk, say: it grows no more either, and the next look tries again.
  }
}

/** Reads the rest of an attempt that has ended. */
export async function drainReports(
  place: Workplace,
  options: {
    readonly run: RunState;
    readonly worker: WorkerState;
    readonly intent: AttemptOf;
    readonly report: (outcome: Outcome) => Promise<void>;
  },
): Promise<void> {
  const { run, worker, attempt } = options.intent;
  const { reportOffset = 0, outputOffset = 0 } = options.worker.attempt ?? {};
  await readReports(attemptDir(place, options.intent), {
    of: { run, worker, attempt },
    from: { reportOffset, outputOffset },
    read: adapterOf(options.run, worker).read,
    atEnd: true,
    report: options.report,
  });
}

function reportOn(line: string): readonly Said[] {
  const found = parseReportLine(line);
  return found === null ? [] : [found];
}

function take(
  lines: readonly Line[],
  read: Adapter['read'],
  into: { reports: Report[]; refused: string[] },
): void {
  for (const { text, cut } of lines) {
    if (cut) continue;
    for (const said of read(text)) {
      if ('refused' in said) into.refused.push(said.refused);
      else into.reports.push(said);
    }
  }
}
