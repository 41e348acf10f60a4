/** Which files were carried into a worker's tree: written before they are, since none of them is work. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Whose tree it is. */
export interface TreeOfWorker {
  /** Absolute. */
  readonly home: string;
  readonly run: string;
  readonly worker: string;
}

/** Remembers them, beside those before: a tree may have been made from another list. */
export function noteCarried(of: TreeOfWorker, paths: readonly string[]): void {
  const known = carriedInto(of);
  const all = [...new Set([...known, ...paths])];
  if (all.length === known.length) return;
  const file = fileOf(of);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(all), { mode: 0o600 });
  renameSync(`${file}.${process.pid}`, file);
}

/** What was carried into the tree by the list of the checkout; none when nothing was. */
export function carriedInto(of: TreeOfWorker): readonly string[] {
  let text: string;
  try {
    text = readFileSync(fileOf(of), 'utf8');
  } catch {
    return [];
  }
  const value: unknown = JSON.parse(text);
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function fileOf({ home, run, worker }: TreeOfWorker): string {
  return join(home, 'runs', run, worker, 'carried');
}
