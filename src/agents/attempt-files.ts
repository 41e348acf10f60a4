/**
 * The folder of an attempt, `<home>/runs/<run>/<worker>/<attempt>/`: prompt, report file, and the small programs that the
 * agent is given. Everything in it is private to the user, and git never sees it.
 */
import { chmodSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { hash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { olderPart } from '../process/bounded-file.ts';
import { makeWithinHome } from '../process/generated-folder.ts';
import { lastLines, linesAtEnd, plainText } from '../process/tail.ts';
import type { Adapter } from './adapter.ts';
import type { ToldDependency } from './mcp-tools.ts';
import type { AttemptPermissions } from './ask-permission.ts';
import { launcherScript, shellFunctions } from './shell-functions.ts';

/** Absolute paths of what is in an attempt's folder. */
export interface AttemptFiles {
  readonly attemptDir: string;
  readonly promptFile: string;
  readonly reportFile: string;
  readonly shellFile: string;
  readonly binDir: string;
  readonly tmpDir: string;
  readonly outputFile: string;
  readonly errorsFile: string;
}

/** Where the files of an attempt are. `home` is absolute; the ids are validated by the plan. */
export function attemptFiles(options: {
  readonly home: string;
  readonly run: string;
  readonly worker: string;
  /** Number of the attempt, or name of the review. */
  readonly attempt: number | string;
  readonly launcher?: Launcher;
}): AttemptFiles {
  const { home, run, worker, attempt, launcher = thisInstallation } = options;
  const runDir = join(home, 'runs', run);
  const attemptDir = join(runDir, worker, String(attempt));
  const programs = join(runDir, '.programs', nameOf(launcher));
  return {
    attemptDir,
    promptFile: join(attemptDir, 'prompt.md'),
    reportFile: join(attemptDir, 'report'),
    shellFile: join(programs, 'czar-shell.sh'),
    binDir: join(programs, 'bin'),
    tmpDir: join(attemptDir, 'tmp'),
    outputFile: join(attemptDir, 'output'),
    errorsFile: join(attemptDir, 'errors'),
  };
}

/** File of an attempt with the fingerprints of its secrets. */
export const fingerprintsName = 'secrets.json';

/** Ways to start czar, best first. */
export type Launcher = readonly (readonly string[])[];

/**
 * Writes the folder of an attempt; writing it again changes nothing that an agent has written. The programs are the
 * same files for all attempts of a run that one installation of czar starts.
 */
export function writeAttemptFiles(options: {
  readonly home: string;
  readonly files: AttemptFiles;
  readonly prompt: string;
  readonly permissions: AttemptPermissions;
  readonly dependencies?: readonly ToldDependency[];
  /** What tells later which of its output was secret; left out where nothing was. */
  readonly fingerprints?: object;
  readonly launcher?: Launcher;
}): void {
  const { home, files, prompt, permissions, launcher = thisInstallation } = options;
  writePrograms(home, files, launcher);
  makeWithinHome(home, files.tmpDir);
  chmodSync(files.attemptDir, 0o700);
  writeFileSync(files.promptFile, prompt, { mode: 0o600 });
  const { dependencies = [], fingerprints } = options;
  for (const [name, told] of [
    ['permissions.json', permissions],
    ...(dependencies.length === 0 ? [] : [['dependencies.json', { dependencies }] as const]),
    ...(fingerprints === undefined ? [] : [[fingerprintsName, fingerprints] as const]),
  ] as const) {
    const text = JSON.stringify({ v: 1, ...told });
    writeFileSync(join(files.attemptDir, name), text, { mode: 0o600 });
  }
}

/** Makes the programs, each whole or not at all; \`bin/czar\` is the last one. */
function writePrograms(
  home: string,
  { binDir, shellFile }: AttemptFiles,
  launcher: Launcher,
): void {
  const czar = join(binDir, 'czar');
  if (existsSync(czar) && existsSync(shellFile)) return;
  makeWithinHome(home, binDir);
  for (const [file, text, mode] of [
    [shellFile, shellFunctions(czar), 0o600],
    [czar, launcherScript(launcher), 0o700],
  ] as const) {
    writeFileSync(`${file}.${process.pid}`, text, { mode });
    renameSync(`${file}.${process.pid}`, file);
  }
}

const names = new WeakMap<Launcher, string>();

function nameOf(launcher: Launcher): string {
  const known = names.get(launcher);
  if (known !== undefined) return known;
  const name = hash('sha256', launcherScript(launcher) + shellFunctions('')).slice(0, 12);
  names.set(launcher, name);
  return name;
}

/**
 * What an attempt said last, newest last: the end of its errors, or of its output when it wrote no errors.
 */
export function lastWords(files: AttemptFiles, count: number): readonly string[] {
  const errors = endOf(files.errorsFile, count);
  return errors.length > 0 ? errors : endOf(files.outputFile, count);
}

/** The last lines of an attempt's output as they came, newest last: of so many bytes together. */
export function lastOutput({ outputFile }: AttemptFiles, bytes: number): readonly string[] {
  const lines = linesAtEnd(outputFile, bytes);
  // What it said last may just have been moved aside.
  return lines.length >= 100 ? lines : [...linesAtEnd(olderPart(outputFile), bytes), ...lines];
}

/** What these lines of output say to a person, the last `count`; what it wrote as errors when they say nothing. */
export function spokenWords(
  files: AttemptFiles,
  { output, show }: { readonly output: readonly string[]; readonly show: Adapter['show'] },
  count: number,
): readonly string[] {
  const words = output.slice(-20 * count).flatMap((line) => show(line).map(plainText));
  const readable = words.filter((line) => line.trim() !== '').slice(-count);
  return readable.length > 0
    ? readable.map((line) => (line.length <= 400 ? line : `${line.slice(0, 399)}…`))
    : endOf(files.errorsFile, count);
}

function endOf(file: string, count: number): readonly string[] {
  const lines = lastLines(file, count);
  if (lines.length >= count) return lines;
  return [...lastLines(olderPart(file), count - lines.length), ...lines];
}

/** The Node and the files that run now, else the launcher of the package, which finds a Node itself. */
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const thisInstallation: Launcher = [
  [process.execPath, join(root, 'dist', 'cli', 'main.js')],
  [join(root, 'bin', 'czar')],
];
