/**
 * The bridge: the program of an attempt whose agent speaks the Agent Client Protocol. It starts the agent as its child,
 * tells it the prompt, answers what it asks, and prints what happened (`lines.ts`). A file of its own in `dist`.
 *
 *     acp.js SETTINGS PROGRAM [ARGUMENT …]
 *
 * Exit codes: 0 its turn ended by itself; 1 it did not go well; 127 its program could not be started; 64 wrong usage;
 * 128 and the signal's number when it was told to end. Told to end, it cancels the turn, closes the agent's input, and
 * ends it; it never leaves it behind.
 */
import { readFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { profileNamed } from '../agents/acp-profiles.ts';
import { settingsFrom, type BridgeSettings } from '../agents/acp-settings.ts';
import { askPermission, permissionsIn, type AttemptPermissions } from '../agents/ask-permission.ts';
import { startAgent } from './agent-stream.ts';
import { converse } from './conversation.ts';
import { printTo, type Print } from './lines.ts';
import type { Outcome } from './outcome.ts';
import { standingEnvironment } from './standing-file.ts';

/** How long the agent may take for anything but its work, milliseconds: on a busy machine some need a minute to come up. */
const patienceMs = 120_000;
/** How long it may take to cancel its turn, milliseconds. */
const cancelMs = 2_500;
/** How long it may take for each step of its end, milliseconds: after its turn, and when it was told to end. */
const graceMs = 3_000;
const hastyMs = 1_500;

/** What may be done when that cannot be read. */
const nothing: AttemptPermissions = {
  policy: 'edit',
  allow: [],
  tree: process.cwd(),
  afterMs: 0,
};

const [argument = '', ...argv] = process.argv.slice(2);
const given = settingsFrom(argument);
if (given === null || argv.length === 0) {
  process.stderr.write('usage: acp.js SETTINGS PROGRAM [ARGUMENT …]\n');
  process.exit(64);
}
process.exit(await attend(given, argv, printTo(1)));

async function attend(
  settings: BridgeSettings,
  command: readonly string[],
  print: Print,
): Promise<number> {
  const told = new AbortController();
  let signalled = 0;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => {
      signalled ||= constants.signals[signal];
      told.abort();
    });
  const profile = profileNamed(settings.profile);
  const given = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !profile.unset.includes(name)),
  );
  const attemptDir = dirname(given['CZAR_REPORT_FILE'] ?? '');
  const { standing } = settings;
  const env = { ...given, ...standingEnvironment({ profile, standing, attemptDir, env: given }) };
  // Before the agent can change what it may; what cannot be read allows nothing.
  const permissions = permissionsIn(attemptDir) ?? nothing;
  const { child, stream } = startAgent({
    argv: command,
    cwd: process.cwd(),
    env,
    noise: (line) => void writeSync(2, `${line}\n`),
  });
  const outcome = await converse({
    stream,
    ended: child.ended,
    profile,
    permissions,
    cwd: process.cwd(),
    attemptDir,
    mcpServers: serversOf(settings, env),
    resume: settings.resume,
    model: settings.model,
    standing,
    prompt: () => readFileSync(env['CZAR_PROMPT_FILE'] ?? '', 'utf8'),
    env,
    ask: (request, signal) =>
      askPermission(request, { attemptDir, permissions, signal, tellsDenials: true }),
    print,
    signal: told.signal,
    patienceMs: settings.patienceMs ?? patienceMs,
    cancelMs,
  });
  const said = print(lineOf(outcome));
  const grace = signalled === 0 ? graceMs : hastyMs;
  await child.end(profile.endsWithInput ? grace : 0, grace);
  if (signalled !== 0) return 128 + signalled;
  return said ? exitOf(outcome) : 1;
}

/** The server of czar's own tools, with what tells it for whom it is. */
function serversOf({ tools }: BridgeSettings, env: NodeJS.ProcessEnv) {
  if (tools === null) return [];
  const own = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && (name.startsWith('CZAR_') || name === 'PATH') ? [{ name, value }] : [],
  );
  return [{ name: 'czar', command: tools.command, args: [...tools.args], env: own }];
}

function lineOf(outcome: Outcome): Parameters<Print>[0] {
  const { kind: type, ...rest } = outcome;
  return { type, ...rest };
}

function exitOf(outcome: Outcome): number {
  if (outcome.kind === 'end') return outcome.stop === 'end_turn' ? 0 : 1;
  return outcome.at === 'start' ? 127 : 1;
}
