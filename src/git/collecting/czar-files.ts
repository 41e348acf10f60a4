/**
 * The files that czar writes into a worker's tree: never listed, committed or merged. What tells them: the name, and of
 * files that a repository may have itself (`CLAUDE.md`, …) a first line that says who wrote it, with a digest of the rest.
 */
import { hash } from 'node:crypto';
import { closeSync, fstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { instructionNames, isInstructionName } from '../../core/instruction-files.ts';
import { openPlainFile } from '../../process/plain-file.ts';
import { inMirror } from '../context.ts';
import type { GitContext } from '../context.ts';
import type { FileOfCommit } from '../facts.ts';
import { failing, output } from '../git.ts';
import type { Failed } from '../git.ts';

/** What a worker is told about itself, at the top of its tree. */
export const identityFile = 'WORKER_IDENTITY.md';

/** Files and folders that are czar's by their names alone. Folders end with a slash. */
export const czarNames: readonly string[] = [identityFile, '.czar-run/'];

/** Who wrote a file: czar, czar with something changed since, or somebody else. */
export type Author = 'czar' | 'czar and others' | 'others';

/** No file that czar writes is as large, bytes. */
const mostBytes = 1024 * 1024;
const mark = '<!-- czar wrote this file for one attempt;';
const firstLine = /^<!-- czar wrote this file for one attempt; [^\n]* \[([0-9a-f]{16})\] -->\n/;

/** The text of a file that czar writes under a name that a repository may have: its mark, then `text`. */
export function withMark(text: string): string {
  return `${mark} git ignores it here. To keep a file of this name as your work, write it anew without this line. [${digestOf(text)}] -->\n${text}`;
}

/** Who wrote a file with this text, as its first line says. */
export function authorOf(text: string): Author {
  if (!text.startsWith(mark)) return 'others';
  const found = firstLine.exec(text);
  const whole = found !== null && digestOf(text.slice(found[0].length)) === found[1];
  return whole ? 'czar' : 'czar and others';
}

function digestOf(text: string): string {
  return hash('sha256', text).slice(0, 16);
}

/** Who wrote what stands at a path of a tree; `others` also for what is no plain file, or larger than czar's can be. */
export function authorIn(dir: string, path: string): Author {
  if (isCzarName(path)) return 'czar';
  if (!isInstructionName(path)) return 'others';
  const file = openPlainFile(join(dir, path));
  if (file === null) return 'others';
  try {
    return fstatSync(file).size > mostBytes ? 'others' : authorOf(readFileSync(file, 'utf8'));
  } finally {
    closeSync(file);
  }
}

/** Whether a path is that of a file which is czar's by its name alone. */
export function isCzarName(path: string): boolean {
  return czarNames.some((own) => (own.endsWith('/') ? path.startsWith(own) : path === own));
}

/** Which of the files of a commit czar wrote, by their mark, changed since or not. */
export async function markedAmong(
  context: GitContext,
  files: readonly Omit<FileOfCommit, 'link'>[],
): Promise<{ readonly kind: 'marked'; readonly paths: readonly string[] } | Failed> {
  return failing(async () => {
    const paths: string[] = [];
    for (const { path, mode, id, size } of files) {
      if (!isInstructionName(path) || !mode.startsWith('100') || size > mostBytes) continue;
      const text = await output(['cat-file', 'blob', id], inMirror(context));
      if (authorOf(text.toString('utf8')) !== 'others') paths.push(path);
    }
    return { kind: 'marked', paths };
  });
}

/** `.git/info/exclude` of a worker's repository, with these files of instructions beside what is czar's by name. */
export function excludeFile(known: string | null, instructions: readonly string[]): string {
  const ours = new Set([...czarNames, ...instructionNames].map((name) => `/${name}`));
  const others = (known ?? '').split('\n').filter((text) => text !== '' && !ours.has(text));
  const names = [...czarNames, ...instructions].map((name) => `/${name}`);
  return [...others, ...names].map((text) => `${text}\n`).join('');
}
