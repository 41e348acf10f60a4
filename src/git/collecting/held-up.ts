/**
 * Git reads `.gitignore` and `.gitattributes` in each folder that it looks at, and the head of a repository inside: at a
 * pipe of such a name it waits for ever. To look for one everywhere costs as much as git does, so that is done only when
 * git takes long.
 */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { failure } from '../git.ts';

const readInFolders: ReadonlySet<string> = new Set(['.gitignore', '.gitattributes']);
const readInRepositories: ReadonlySet<string> = new Set([
  'HEAD',
  'config',
  'commondir',
  'packed-refs',
]);
/** When it is looked for, milliseconds after the start. */
const lookAfterMs = 3_000;

/**
 * Does the work, which runs git in a folder where anything may be. When it takes longer than `afterMs` and a pipe is in
 * git's way, the signal that the work is given ends it, and the failure names the pipe.
 */
export async function unlessHeldUp<T>(
  of: {
    readonly dir: string;
    readonly signal?: AbortSignal | undefined;
    readonly afterMs?: number;
  },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const found = new AbortController();
  const over = new AbortController();
  const look = async (): Promise<void> => {
    const pipe = await pipeInTheWay(of.dir, over.signal);
    if (pipe !== null)
      found.abort(failure(`git would wait for ever at ${pipe}, which is a pipe: remove it`));
  };
  const timer = setTimeout(() => void look(), of.afterMs ?? lookAfterMs);
  const signals = of.signal === undefined ? [found.signal] : [of.signal, found.signal];
  try {
    return await work(AbortSignal.any(signals));
  } catch (error) {
    if (of.signal?.aborted !== true) found.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

/** First pipe below a folder that git would open, absolute; null when there is none. What cannot be read is passed over. */
async function pipeInTheWay(dir: string, over: AbortSignal): Promise<string | null> {
  const folders = [dir];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    if (over.aborted) return null;
    const entries = await entriesOf(folder);
    const pipe = entries.find((entry) => entry.isFIFO() && readInFolders.has(entry.name));
    if (pipe !== undefined) return join(folder, pipe.name);
    for (const entry of entries) {
      if (!entry.isDirectory()) continue;
      const below = join(folder, entry.name);
      if (entry.name !== '.git') folders.push(below);
      else if (folder !== dir) {
        const inner = (await entriesOf(below)).find(
          (one) => one.isFIFO() && readInRepositories.has(one.name),
        );
        if (inner !== undefined) return join(below, inner.name);
      }
    }
  }
  return null;
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}
