/** Making a file that is there whole or not at all, and never in the place of another. */
import { existsSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode } from './source.ts';

/** Null when written, else the system's code of the failure: `EEXIST` when something has that name already. */
export function createFile(path: string, text: string): string | null {
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    mkdirSync(dirname(path), { recursive: true });
    if (existsSync(path)) return 'EEXIST';
    writeFileSync(draft, text);
    giveName(draft, path);
    return null;
  } catch (error) {
    return errorCode(error);
  } finally {
    rmSync(draft, { force: true });
  }
}

function giveName(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    // A file system without links: a rename would replace, but nothing was there a moment ago.
    if (errorCode(error) === 'EEXIST') throw error;
    renameSync(draft, path);
  }
}
