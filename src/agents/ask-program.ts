/**
 * What an agent's program says of itself: its version, and whether it is logged in. Nothing of it spends, and nothing of
 * it is trusted: an answer is waited for only so long, read only so far, and kept only as one word.
 */
import type { AgentDefinition } from '../core/plan.ts';
import { runCommand, type CommandResult } from '../process/run.ts';
import { plainText } from '../process/tail.ts';
import { adapters } from './adapters.ts';
import { sharedEnvironment } from './environment.ts';

/** What it said. */
export interface Answers {
  /** Such as `2.1.330`; null when it was not asked or did not say. */
  readonly version: string | null;
  /** Null when it cannot be asked, or its answer was not understood. */
  readonly loggedIn: boolean | null;
  /** Why there is no version although it was asked, in a sentence. */
  readonly silence: string | null;
}

/** How long an answer may take, milliseconds. */
const patienceMs = 5_000;
/** How much of an answer is read, bytes. */
const maxBytes = 64 * 1024;

/** Asks the program, which is at `path`. `cwd` is the root of the user's repository. */
export async function askProgram(options: {
  readonly definition: AgentDefinition;
  readonly path: string;
  readonly cwd: string;
  readonly baseEnv: NodeJS.ProcessEnv;
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}): Promise<Answers> {
  const { definition, path, cwd, baseEnv, signal } = options;
  const { version, login } = adapters[definition.adapter];
  const env = {
    ...sharedEnvironment(baseEnv, definition.env),
    // It answers only: neither does it replace itself, nor does it call home.
    DISABLE_AUTOUPDATER: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  };
  const ask = async (args: readonly string[]): Promise<CommandResult> =>
    runCommand({
      argv: [path, ...definition.command.slice(1), ...args],
      cwd,
      env,
      timeoutMs: options.patienceMs ?? patienceMs,
      maxOutputBytes: maxBytes,
      graceMs: 500,
      ...(signal === undefined ? {} : { signal }),
    });
  const [saidVersion, saidLogin] = await Promise.all([
    version === null ? null : ask(version),
    login === null ? null : ask(login.args),
  ]);
  const found = saidVersion === null ? null : versionIn(saidVersion);
  return {
    version: found,
    silence: found !== null || saidVersion === null ? null : silenceOf(saidVersion),
    loggedIn:
      saidLogin === null || saidLogin.timedOut
        ? null
        : (login?.answer({ code: saidLogin.code, ...textsOf(saidLogin), env }) ?? null),
  };
}

function textsOf({ stdout, stderr }: CommandResult): { readonly stdout: string; stderr: string } {
  return { stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') };
}

/** The first thing that looks like a version on the first lines of its output. */
function versionIn(said: CommandResult): string | null {
  if (said.code !== 0) return null;
  for (const line of said.stdout.toString('utf8').split('\n', 20)) {
    const [found] = /\d+(?:\.\d+)+[\w.+-]{0,40}/.exec(plainText(line)) ?? [];
    if (found !== undefined) return found;
  }
  return null;
}

function silenceOf({ timedOut, spawnError, code }: CommandResult): string {
  if (spawnError !== null) return `it could not be asked for its version: ${plainText(spawnError)}`;
  if (timedOut) return 'it did not say its version in time';
  return code === 0
    ? 'it said nothing like a version'
    : 'it ended with an error when it was asked for its version';
}
