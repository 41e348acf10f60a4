/**
 * Answers to what a running attempt asked: `answers/<id>.json` in its folder, one JSON object, there as a whole or not at
 * all. The loop writes them; a program inside the attempt claims an id, reports, and waits for the file of that name.
 *
 * Imported by `czar emit`, which must start fast: nothing but node: modules here.
 */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { parseObject } from './report-file.ts';

/** What is answered: `text` says more, or is the answer to a question. */
export interface Answer {
  readonly decision: 'allow' | 'deny';
  readonly text: string | null;
}

/** Ids of an attempt begin behind those of the one before: what was asked by an earlier one is not answered by mistake. */
const idsOfAttempt = 1_000;

/** How often is looked where nothing tells of changes, and how often otherwise, milliseconds. */
const lookMs = 500;
const lookAgainMs = 5_000;

/** Puts the answer there; again changes nothing. */
export function writeAnswer(attemptDir: string, id: string, answer: Answer): void {
  const dir = answersOf(attemptDir);
  const file = join(dir, `${id}.json`);
  writeFileSync(`${file}.${process.pid}`, JSON.stringify({ v: 1, ...answer }), { mode: 0o600 });
  renameSync(`${file}.${process.pid}`, file);
}

/** Claims the next id that nobody in the attempt has, `p1` or `q1`. */
export function claimId(attemptDir: string, letter: 'p' | 'q'): string {
  const dir = answersOf(attemptDir);
  const before = idsOfAttempt * (Math.max(1, Number(basename(attemptDir)) || 1) - 1);
  for (let n = 1; ; n += 1) {
    const id = `${letter}${before + n}`;
    try {
      closeSync(openSync(join(dir, `${id}.asked`), 'wx', 0o600));
      return id;
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
    }
  }
}

/** Waits for the answer; null when it did not come in time, or the signal came first. */
export async function awaitAnswer(
  attemptDir: string,
  id: string,
  { forMs, signal }: { readonly forMs: number; readonly signal?: AbortSignal | undefined },
): Promise<Answer | null> {
  const dir = answersOf(attemptDir);
  return new Promise((resolve) => {
    const watcher = watched(dir, () => look());
    const done = (answer: Answer | null): void => {
      watcher?.close();
      clearTimeout(late);
      clearInterval(again);
      signal?.removeEventListener('abort', stop);
      resolve(answer);
    };
    const look = (): void => {
      const answer = readAnswer(dir, id);
      if (answer !== null) done(answer);
    };
    const stop = (): void => done(null);
    const late = setTimeout(() => done(readAnswer(dir, id)), Math.min(forMs, 2 ** 31 - 1));
    const again = setInterval(look, watcher === null ? lookMs : lookAgainMs);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted === true) stop();
    else look();
  });
}

function readAnswer(dir: string, id: string): Answer | null {
  let text: string;
  try {
    text = readFileSync(join(dir, `${id}.json`), 'utf8');
  } catch {
    return null;
  }
  const found = parseObject(text);
  if (found === null || found['v'] !== 1) return null;
  const { decision, text: said } = found;
  if (decision !== 'allow' && decision !== 'deny') return null;
  return { decision, text: typeof said === 'string' ? said : null };
}

/** Null where the system has no more watches. */
function watched(dir: string, changed: () => void): { close: () => void } | null {
  try {
    const watcher = watch(dir, changed);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}

/** The folder, made in that of an attempt, which is there. What an agent put in its place is not followed. */
function answersOf(attemptDir: string): string {
  const dir = join(attemptDir, 'answers');
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
  }
  if (!lstatSync(dir).isDirectory()) throw new Error(`${dir} is no folder`);
  return dir;
}
