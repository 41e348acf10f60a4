/** The log as files that people and machines can follow: `events.log` and `events.jsonl` in the home. */
import { join } from 'node:path';
import { openDerived, type DerivedFiles, type RenderLine } from '../journal/derived.ts';
import type { Journal } from '../journal/journal.ts';
import { makeGeneratedFolder } from '../process/generated-folder.ts';
import { eventDocument } from '../report/event-document.ts';
import type { TokensOf } from '../report/event-fields.ts';
import { renderEvent } from '../report/event-line.ts';
import { jsonPieces } from '../report/json-pieces.ts';

/** Folder of the derived files. */
export function derivedFolder(home: string): string {
  return join(home, 'logs');
}

/** Whether no tokens of a worker are on record, where somebody knows without reading the log. */
export type IsUnused = (run: string, worker: string) => boolean;

/** The derived files of the home, caught up at the first `update`. */
export function openDerivedFiles(
  home: string,
  journal: Pick<Journal, 'read' | 'head'>,
  isUnused?: IsUnused,
): DerivedFiles {
  return openDerived({
    folder: derivedFolder(home),
    makeFolder: makeGeneratedFolder,
    journal,
    ...renderings(journal, isUnused),
  });
}

/** How events stand in the two files. */
export function renderings(
  journal: Pick<Journal, 'read'>,
  isUnused: IsUnused = () => false,
): {
  readonly log: RenderLine;
  readonly jsonl: RenderLine;
} {
  const reported = tokensOf(journal);
  const tokens: TokensOf = (run, worker) => (isUnused(run, worker) ? null : reported(run, worker));
  return {
    log: (event) => [renderEvent(event, { format: 'line', tokens }) ?? ''],
    jsonl: (event) => {
      if ('plan' in event.data) return jsonPieces(eventDocument(event));
      return [renderEvent(event, { format: 'json', tokens }) ?? ''];
    },
  };
}

/** Tokens of a worker as its reports add up; asked when it is complete, after which no more come. */
export function tokensOf(journal: Pick<Journal, 'read'>): TokensOf {
  return (run, worker) => {
    let sum: number | null = null;
    for (const event of journal.read({ run, worker, types: ['worker.usage'] })) {
      if (event.type === 'worker.usage') sum = (sum ?? 0) + event.data.input + event.data.output;
    }
    return sum;
  };
}
