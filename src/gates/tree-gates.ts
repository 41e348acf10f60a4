/**
 * Tree gates: commands that judge a whole tree, run on a clean checkout of exactly one commit in a folder of its own.
 *
 * Owns that folder from making it to removing it, whatever happens between. Invariants: a setup that fails, and a
 * check that breaks, hangs or is killed, is inconclusive, never a pass; checks that were aborted have no verdict.
 * All gates of one call share one setup; they run one after another in the same tree. What a gate left running is ended
 * before the next begins, what the setup put up after the last.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { treeGateKey, type TreeGate, type TreeVerdict } from '../core/events.ts';
import { makeWithinHome } from '../process/generated-folder.ts';
import { runCommand, type CommandResult } from '../process/run.ts';
import { checkEnvironment } from './check-environment.ts';
import { lastLines, verdictOf } from './command-verdict.ts';
import { endLeft, markCommand } from './leftovers.ts';
import { removeFolder } from '../git/trees/remove-folder.ts';

export interface Checks {
  /** Name of the folder, unique among all that run at the same time: letters, digits, `._-`. */
  readonly id: string;
  /** Tree id that the verdicts are bound to. */
  readonly tree: string;
  readonly gates: readonly TreeGate[];
  /** Folder of all check trees (`checkRoot`). */
  readonly cacheDir: string;
  /** Checks the commit out into a folder that does not exist yet. */
  readonly makeTree: (
    dir: string,
  ) => Promise<{ readonly ok: true } | { readonly ok: false; readonly error: string }>;
  /** Removes such a folder, also a half-made one. */
  readonly removeTree: (dir: string) => Promise<void>;
  readonly env: NodeJS.ProcessEnv;
  /** Mark of the repository's checks (`checkMark`). */
  readonly mark: string;
  /** Time limit of each command, milliseconds. */
  readonly timeoutMs: number;
  /** How often a command that failed is tried again in the same tree; never when left out. */
  readonly retries?: number;
  /** Commands that judge nothing; none when left out. */
  readonly quarantine?: readonly string[];
  /** SIGTERM to SIGKILL, milliseconds. */
  readonly graceMs: number;
  readonly logs: Logs;
  readonly signal: AbortSignal;
}

/** Where outputs go: `dir` (absolute, made when missing); verdicts name them relative to `home` (absolute). */
export interface Logs {
  readonly dir: string;
  readonly home: string;
  /** Takes secrets out of what is written. */
  readonly redact: (text: string) => string;
}

export type ChecksOutcome =
  /** One verdict for each gate, in their order. */
  | { readonly kind: 'judged'; readonly verdicts: readonly TreeVerdict[] }
  /** Stopped before all verdicts were there: none counts. */
  | { readonly kind: 'aborted' }
  /** The tree could not be made: nothing was judged, try again. */
  | { readonly kind: 'no-tree'; readonly error: string };

/** Runs gates on a clean checkout and removes it again. */
export async function runChecks(checks: Checks): Promise<ChecksOutcome> {
  const place = join(checks.cacheDir, checks.id);
  const dir = join(place, 'tree');
  const tmp = join(place, 'tmp');
  const clear = async (): Promise<void> => {
    await checks.removeTree(dir).catch(() => undefined);
    await removeFolder(place);
  };
  try {
    await clear();
    const made = await makePlace(checks, { dir, tmp });
    if (checks.signal.aborted) return { kind: 'aborted' };
    if (!made.ok) return { kind: 'no-tree', error: made.error };
    return await judgeFolder({ ...checks, dir, tmp });
  } finally {
    await clear();
  }
}

async function makePlace(
  checks: Checks,
  { dir, tmp }: { readonly dir: string; readonly tmp: string },
): ReturnType<Checks['makeTree']> {
  try {
    await mkdir(tmp, { recursive: true, mode: 0o700 });
  } catch (error) {
    return {
      ok: false,
      error: `${tmp}: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
  return checks.makeTree(dir);
}

/** Gates in a folder that exists. */
export type FolderChecks = Omit<Checks, 'cacheDir' | 'makeTree' | 'removeTree'> & {
  readonly dir: string;
  readonly tmp: string;
  /** Whether what a setup that passed put up goes on, for an agent that works here next. */
  readonly setupStays?: boolean;
};

/** Runs gates in a folder, and leaves it: the tree of a worker with `workspace: empty`. */
export async function judgeFolder(checks: FolderChecks): Promise<ChecksOutcome> {
  const putUp: (number | null)[] = [];
  const stays = (outcome: ChecksOutcome): boolean =>
    checks.setupStays === true &&
    outcome.kind === 'judged' &&
    outcome.verdicts.every(({ result }) => result === 'pass');
  const outcome = await judge(checks, putUp);
  if (!stays(outcome)) {
    for (const pid of putUp) await endLeft(checks.mark, pid, checks.graceMs);
  }
  return outcome;
}

/** The same; `putUp` is given the pids of setup commands, whose servers the gates may need. */
async function judge(checks: FolderChecks, putUp: (number | null)[]): Promise<ChecksOutcome> {
  const [first] = checks.gates;
  if (first === undefined) return { kind: 'judged', verdicts: [] };
  if (checks.gates.some((gate) => setupKey(gate) !== setupKey(first))) {
    throw new Error('gates with different setups do not share a tree');
  }
  for (const [index, command] of first.setup.entries()) {
    const startedAt = performance.now();
    const result = await shell(checks, command);
    putUp.push(result.pid);
    if (checks.signal.aborted) return { kind: 'aborted' };
    const { ended } = verdictOf(result, checks.timeoutMs);
    if (ended === null) continue;
    const log = await writeLog(checks, `setup-${index + 1}`, command, result, ended);
    const findings = [`setup: ${command}`, ended, ...lastLines(result.stdout)];
    const durationMs = Math.round(performance.now() - startedAt);
    const verdicts = checks.gates.map((gate) =>
      verdict(checks, gate, { result: 'inconclusive', findings, log, durationMs }),
    );
    return { kind: 'judged', verdicts };
  }

  const verdicts: TreeVerdict[] = [];
  for (const [index, gate] of checks.gates.entries()) {
    const judged = await judgeCommand(checks, { gate, index });
    if (judged === null) return { kind: 'aborted' };
    verdicts.push(judged);
  }
  return { kind: 'judged', verdicts };
}

/** Runs a command, once more where it did not pass and is known to be flaky; null when it was aborted. */
async function judgeCommand(
  checks: FolderChecks,
  { gate, index }: { readonly gate: TreeGate; readonly index: number },
): Promise<TreeVerdict | null> {
  const startedAt = performance.now();
  const failures: string[] = [];
  for (let tries = 1; ; tries += 1) {
    const result = await shell(checks, gate.command);
    await endLeft(checks.mark, result.pid, checks.graceMs);
    if (checks.signal.aborted) return null;
    const judged = verdictOf(result, checks.timeoutMs);
    const name = `${gate.gate}-${index + 1}${tries === 1 ? '' : `-try-${tries}`}`;
    const log = await writeLog(checks, name, gate.command, result, judged.ended);
    if (judged.ended !== null)
      failures.push(gate.command, judged.ended, ...lastLines(result.stdout));
    if (judged.result !== 'pass' && tries <= (checks.retries ?? 0)) continue;
    const durationMs = Math.round(performance.now() - startedAt);
    // What a try that failed said stays on record, also when a later one passed.
    const told = { result: judged.result, findings: failures, log, durationMs };
    return { ...verdict(checks, gate, told), ...(tries === 1 ? {} : { tries }) };
  }
}

function setupKey({ setup }: TreeGate): string {
  return treeGateKey({ tree: '', command: '', setup });
}

/** Before the command: one stream for output and errors; after it, whatever it left in its group is ended. */
const prelude = `${markCommand}trap 'c=$?; trap "" TERM; kill -TERM 0; exit $c' EXIT\nexec 2>&1\n`;

function shell(checks: FolderChecks, command: string): Promise<CommandResult> {
  return runCommand({
    argv: ['/bin/sh', '-c', `${prelude}${command}`],
    cwd: checks.dir,
    env: {
      ...checkEnvironment(checks.env, { tree: checks.dir, tmp: checks.tmp }),
      CZAR_ATTEMPT_KEY: checks.mark,
    },
    timeoutMs: checks.timeoutMs,
    graceMs: checks.graceMs,
    signal: checks.signal,
    maxOutputBytes: 4 * 1024 * 1024,
  });
}

function verdict(
  checks: Pick<Checks, 'tree' | 'quarantine'>,
  gate: TreeGate,
  judged: Pick<TreeVerdict, 'result' | 'findings' | 'log' | 'durationMs'>,
): TreeVerdict {
  return {
    gate: gate.gate,
    tree: checks.tree,
    command: gate.command,
    setup: gate.setup,
    ...judged,
    ...(judged.result !== 'pass' && checks.quarantine?.includes(gate.command) === true
      ? { quarantined: true }
      : {}),
  };
}

/** Writes the output of a command; null when that is not possible, which changes no verdict. */
async function writeLog(
  { id, logs }: Pick<Checks, 'id' | 'logs'>,
  name: string,
  command: string,
  result: CommandResult,
  ended: string | null,
): Promise<string | null> {
  const file = join(logs.dir, `${id}-${name}.log`);
  const cut = result.truncated ? '… the beginning is left out\n' : '';
  const head = Buffer.from(`$ ${command}\n${cut}`);
  const tail = Buffer.from(ended === null ? '\nexit 0\n' : `\n${ended}\n`);
  try {
    makeWithinHome(logs.home, logs.dir);
    const text = Buffer.concat([head, result.stdout, tail]).toString('utf8');
    await writeFile(file, logs.redact(text), { mode: 0o600 });
  } catch {
    return null;
  }
  return relative(logs.home, file);
}
