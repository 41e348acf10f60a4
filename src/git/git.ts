/**
 * The one door to git. Nothing of the caller's environment or of the machine's configuration reaches a call, hooks and
 * helpers that a repository names are off, nothing prompts, and every call has a time limit after which its process
 * group is ended.
 *
 * Callers branch on exit codes and on `-z` formats, never on what git says in words: words are only shown.
 */
import { existsSync } from 'node:fs';
import { CoProcess } from '../process/co-process.ts';
import { runCommand } from '../process/run.ts';

export interface GitCall {
  readonly cwd: string;
  readonly gitDir?: string | undefined;
  readonly workTree?: string | undefined;
  readonly input?: string | Uint8Array | undefined;
  /** Added to the fixed environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds; two minutes unless given. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * `user` reads the machine's and the user's configuration, with hooks and monitors still off: only for questions
   * about the user's repository and for writing files into the user's checkout.
   */
  readonly config?: 'none' | 'user' | undefined;
  /** Bytes of output that are taken, 256 MiB unless given; more is a failure, never a silent cut. */
  readonly maxOutputBytes?: number | undefined;
}

export interface GitResult {
  /** Exit code; null when git was ended or could not be started. */
  readonly code: number | null;
  readonly stdout: Buffer;
  /** What git said, for people. */
  readonly stderr: string;
  /** Why there is no exit code, or the output is not whole; null when neither. */
  readonly trouble: 'timeout' | 'stopped' | 'not started' | 'too much output' | 'crashed' | null;
}

/** What went wrong outside the work: disk, git itself, a time limit. Trying again may help. */
export interface Failed {
  readonly kind: 'failed';
  readonly error: string;
}

/** Milliseconds that one call may take unless it says otherwise. */
export const defaultTimeoutMs = 120_000;

const maxOutputBytes = 256 * 1024 * 1024;

const always = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.untrackedCache=false',
  // Asks another repository that objects are borrowed from; the setting may be an agent's.
  'core.alternateRefsCommand=true',
  'gc.auto=0',
  'maintenance.auto=false',
  'fetch.writeCommitGraph=false',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'core.fsync=committed,loose-object',
  'core.fsyncMethod=batch',
  'color.ui=false',
  'commit.gpgSign=false',
  'tag.gpgSign=false',
];

const isolated = [
  'core.excludesFile=/dev/null',
  'core.attributesFile=/dev/null',
  'core.autocrlf=false',
  'core.safecrlf=false',
  'core.quotePath=false',
  'core.bigFileThreshold=1m',
  'protocol.allow=never',
  'protocol.file.allow=always',
  'diff.noprefix=false',
  'diff.mnemonicPrefix=false',
];

const inheritedForUser = [
  'HOME',
  'XDG_CONFIG_HOME',
  'GIT_CONFIG_GLOBAL',
  'GIT_CONFIG_SYSTEM',
  'GIT_CONFIG_NOSYSTEM',
];

/** Signals by which a program ends itself over a fault of its own: the same call ends so again. */
const crashes: ReadonlySet<string> = new Set(['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE']);

/** Runs git. Never throws: whatever happens is in the result. */
export async function git(args: readonly string[], call: GitCall): Promise<GitResult> {
  const done = await runCommand({
    argv: commandLine(args, call),
    cwd: call.cwd,
    env: environment(call),
    timeoutMs: call.timeoutMs ?? defaultTimeoutMs,
    maxOutputBytes: call.maxOutputBytes ?? maxOutputBytes,
    ...(call.input === undefined ? {} : { input: call.input }),
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  });
  const stderr = done.stderr.toString('utf8').trim();
  const result = { code: done.code, stdout: done.stdout, stderr };
  if (done.spawnError !== null) {
    const why = whyNotStarted(done.spawnError, call.cwd);
    return { ...result, code: null, stderr: why, trouble: 'not started' };
  }
  if (done.timedOut) return { ...result, code: null, trouble: 'timeout' };
  if (call.signal?.aborted === true) return { ...result, code: null, trouble: 'stopped' };
  if (done.code === null) {
    const crashed = done.signal !== null && crashes.has(done.signal);
    return { ...result, code: null, trouble: crashed ? 'crashed' : 'stopped' };
  }
  return { ...result, trouble: done.truncated ? 'too much output' : null };
}

/** The system says the same of a program and of a folder that is not there. */
function whyNotStarted(error: string, cwd: string): string {
  if (!error.endsWith(' ENOENT')) return `git cannot be run: ${error}`;
  if (cwd.endsWith('/czar/mirror.git') && !existsSync(cwd))
    return `the mirror is gone (${cwd}): czar doctor says what helps`;
  return existsSync(cwd)
    ? 'git is not on the PATH: czar needs git 2.38 or newer'
    : `git cannot be run in ${cwd}: there is no such folder`;
}

/** Starts a git that answers one request after another; `timeoutMs` is for each answer. */
export function stayingGit(args: readonly string[], call: GitCall): CoProcess {
  return new CoProcess({
    argv: commandLine(args, call),
    cwd: call.cwd,
    env: environment(call),
    timeoutMs: call.timeoutMs ?? defaultTimeoutMs,
  });
}

/** Output of a call that can only fail for reasons outside the work; `failing` makes a value of such a failure. */
export async function output(args: readonly string[], call: GitCall): Promise<Buffer> {
  const result = await git(args, call);
  if (result.code !== 0 || result.trouble !== null) throw gitFailure(args, result);
  return result.stdout;
}

/** The same as one line of text, without the line end. */
export async function line(args: readonly string[], call: GitCall): Promise<string> {
  return (await output(args, call)).toString('utf8').replace(/\n$/, '');
}

/** Whether the call answers yes (exit 0) or no (exit 1); anything else fails as in `output`. */
export async function yes(args: readonly string[], call: GitCall): Promise<boolean> {
  const result = await git(args, call);
  if (result.trouble === null && result.code === 0) return true;
  if (result.trouble === null && result.code === 1) return false;
  throw gitFailure(args, result);
}

/** Runs steps that may fail for reasons outside the work and gives such a failure as a value. Bugs still throw. */
export async function failing<T>(steps: () => Promise<T>): Promise<T | Failed> {
  try {
    return await steps();
  } catch (error) {
    if (error instanceof GitFailure) return { kind: 'failed', error: error.message };
    if (isSystemError(error)) return { kind: 'failed', error: error.message };
    throw error;
  }
}

/** The failure of a call, to be thrown inside `failing`. */
export function gitFailure(args: readonly string[], result: GitResult): Error {
  if (result.trouble === 'not started') return new GitFailure(result.stderr);
  // What stands behind a `-c` is a setting.
  const name = args.find((arg, at) => !arg.startsWith('-') && args[at - 1] !== '-c') ?? 'git';
  const why =
    result.trouble ??
    `exit code ${result.code}${result.stderr === '' ? '' : `: ${lastLine(result.stderr)}`}`;
  return new GitFailure(`git ${name}: ${why}`);
}

/** A failure that is no call's own: what was found cannot be worked with. To be thrown inside `failing`. */
export function failure(message: string): Error {
  return new GitFailure(message);
}

/** Fields of a `-z` output. */
export function fields(bytes: Buffer): string[] {
  const text = bytes.toString('utf8');
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}

class GitFailure extends Error {}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

function lastLine(text: string): string {
  const lines = text.split('\n').filter((each) => each.trim() !== '');
  return (
    lines.find((each) => each.startsWith('fatal:') || each.startsWith('error:')) ??
    lines.at(-1) ??
    ''
  );
}

function commandLine(args: readonly string[], call: GitCall): readonly string[] {
  const settings = (call.config === 'user' ? always : [...always, ...isolated]).flatMap((value) => [
    '-c',
    value,
  ]);
  const argv = ['git', '--no-replace-objects', '--literal-pathspecs', ...settings];
  if (call.gitDir !== undefined) argv.push(`--git-dir=${call.gitDir}`);
  if (call.workTree !== undefined)
    argv.push(`--work-tree=${call.workTree}`, '-c', 'core.bare=false');
  return [...argv, ...args];
}

function environment(call: GitCall): Record<string, string> {
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'false',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_DEFAULT_REF_FORMAT: 'files',
    GIT_ADVICE: '0',
  };
  if (call.config === 'user') {
    for (const name of inheritedForUser) {
      const value = process.env[name];
      if (value !== undefined) env[name] = value;
    }
  } else {
    env['HOME'] = '/dev/null';
    env['GIT_CONFIG_NOSYSTEM'] = '1';
    env['GIT_CONFIG_GLOBAL'] = '/dev/null';
  }
  return { ...env, ...call.env };
}
