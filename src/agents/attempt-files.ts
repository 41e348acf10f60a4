/**
 * The folder of an attempt, `<home>/runs/<run>/<worker>/<attempt>/`: prompt, report file, and the small programs that the
 * agent is given. Everything in it is private to the user, and git never sees it.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastLines } from '../process/tail.ts';
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
  readonly attempt: number;
}): AttemptFiles {
  const { home, run, worker, attempt } = options;
  const attemptDir = join(home, 'runs', run, worker, String(attempt));
  return {
    attemptDir,
    promptFile: join(attemptDir, 'prompt.md'),
    reportFile: join(attemptDir, 'report'),
    shellFile: join(attemptDir, 'czar-shell.sh'),
    binDir: join(attemptDir, 'bin'),
    tmpDir: join(attemptDir, 'tmp'),
    outputFile: join(attemptDir, 'output'),
    errorsFile: join(attemptDir, 'errors'),
  };
}

/**
 * Writes the folder of an attempt; writing it again changes nothing that an agent has written. `launcher` are the ways
 * to start czar, best first (default: this installation).
 */
export function writeAttemptFiles(options: {
  readonly home: string;
  readonly files: AttemptFiles;
  readonly prompt: string;
  readonly launcher?: readonly (readonly string[])[];
}): void {
  const { home, files, prompt, launcher = thisInstallation() } = options;
  makeGeneratedFolder(join(home, 'runs'));
  for (const dir of [files.attemptDir, files.binDir, files.tmpDir]) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }
  chmodSync(files.attemptDir, 0o700);
  const czar = join(files.binDir, 'czar');
  writeFileSync(files.promptFile, prompt, { mode: 0o600 });
  writeFileSync(files.shellFile, shellFunctions(czar), { mode: 0o600 });
  writeFileSync(czar, launcherScript(launcher), { mode: 0o700 });
  closeSync(openSync(files.reportFile, 'a', 0o600));
}

/** Makes a folder of generated files that ignores itself in git. */
export function makeGeneratedFolder(dir: string): void {
  mkdirSync(dir, { recursive: true });
  const ignore = join(dir, '.gitignore');
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
}

/** Removes the temporary files of an attempt whose processes are gone. */
export function removeTemporaryFiles(files: AttemptFiles): void {
  rmSync(files.tmpDir, { recursive: true, force: true });
}

/**
 * What an attempt said last, newest last: the end of its errors, or of its output when it wrote no errors.
 */
export function lastWords(files: AttemptFiles, count: number): readonly string[] {
  const errors = lastLines(files.errorsFile, count);
  return errors.length > 0 ? errors : lastLines(files.outputFile, count);
}

/** The Node and the files that run now, else the launcher of the package, which finds a Node itself. */
function thisInstallation(): readonly (readonly string[])[] {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  return [[process.execPath, join(root, 'dist', 'cli', 'main.js')], [join(root, 'bin', 'czar')]];
}
