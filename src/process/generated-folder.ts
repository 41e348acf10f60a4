/** Folders of generated files, which the user's git ignores. */
import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes a folder that ignores itself. An ignore file with something in it stays as it is; an empty one was half written. */
export function makeGeneratedFolder(dir: string): void {
  const ignore = join(dir, '.gitignore');
  if ((statSync(ignore, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  mkdirSync(dir, { recursive: true });
  const making = `${ignore}.${process.pid}`;
  writeFileSync(making, '*\n');
  renameSync(making, ignore);
}
