/**
 * The wire meter: a process beside the agent of an attempt whose definition has `meter: true`. It passes the agent's
 * requests on to its endpoints and writes what answers tell of tokens into the attempt's report file, so that nobody
 * needs to listen. A file of its own in `dist`.
 *
 *     meter.js KIND NAMES PID
 *
 * KIND: `codex` when the agent is Codex, else anything. NAMES: variables that the agent is given, with commas. PID: its
 * process. Prints shell text that leads the agent to it, then closes its output; it ends with that process, and when it
 * is told to end. What it prints as errors holds nothing of what passes by.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { meteredArgument } from '../agents/metered-command.ts';
import { noUsage } from '../core/usage.ts';
import { appendReport } from '../process/report-file.ts';
import { quoted } from '../process/runner-text.ts';
import { codexEndpoint } from './codex-endpoint.ts';
import { detourOf, tokenVariable } from './endpoints.ts';
import { startProxy } from './proxy.ts';

/** Least time between two reports of answers that are not over, milliseconds. */
const pauseMs = 1_000;
/** How often the agent is looked for, milliseconds. */
const lookMs = 500;

const [kind = '', names = '', pidText = ''] = process.argv.slice(2);
const { env } = process;
const pid = Number(pidText);

let total = noUsage;
let written = noUsage;
let lastAt = -Infinity;

process.on('uncaughtException', (error) => {
  process.stderr.write(`czar: the wire meter failed: ${error.name}\n`);
  end(70);
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end(0));

const detour = detourOf({
  env,
  names: names.split(','),
  codex:
    kind === 'codex'
      ? codexEndpoint(ofCodex('config.toml'), ofCodex('auth.json'), env['MODEL_PROVIDER'])
      : null,
});
const token = randomBytes(24).toString('base64url');
if (detour.endpoints.length === 0) {
  process.stderr.write(
    'czar: meter: no endpoint of this agent is known; it counts as it reports\n',
  );
  tell(placed([]));
  process.exit(0);
}
const { port } = await startProxy({
  endpoints: detour.endpoints,
  token,
  env,
  counted: (usage, isOver) => {
    total = usage;
    // The first figure at once: it is what tells that the attempt is metered.
    if (isOver || performance.now() - lastAt >= pauseMs) write();
  },
});
const at = `http://127.0.0.1:${port}`;
const lead = detour.lead({ secret: (n) => `${at}/${token}/${n}`, open: (n) => `${at}/${n}` });
const variables = { ...lead.variables, ...direct(), [tokenVariable]: token };
const exports = Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}`);
tell(`export ${exports.join(' ')}\n${placed(lead.args)}`);
setInterval(() => {
  if (!isThere()) end(0);
}, lookMs);

function write(): void {
  if (total === written) return;
  try {
    appendReport(env['CZAR_REPORT_FILE'] ?? '', {
      kind: 'usage',
      usage: total,
      total: true,
      metered: true,
    });
    written = total;
    lastAt = performance.now();
  } catch {
    // A full disk, say: the next report has it all.
  }
}

function end(code: number): void {
  write();
  process.exit(code);
}

/** Whoever reads the output waits until it is closed. */
function tell(text: string): void {
  writeSync(1, text);
  closeSync(1);
  openSync('/dev/null', 'w');
}

/** Shell text that puts these arguments where the agent's have a place for them. */
function placed(args: readonly string[]): string {
  const words = args.map((arg) => ` ${quoted(arg)}`).join('');
  return (
    `for czar_word do shift; case $czar_word in ${meteredArgument}) set -- "$@"${words} ;; ` +
    '*) set -- "$@" "$czar_word" ;; esac; done\nunset czar_word\n'
  );
}

/** The way to loopback leads over no proxy of the user's. */
function direct(): Readonly<Record<string, string>> {
  const given = Object.keys(env).some((name) => /^(https?|all)_proxy$/i.test(name));
  if (!given) return {};
  const all = [env['no_proxy'] ?? env['NO_PROXY'] ?? '', '127.0.0.1'].filter((one) => one !== '');
  return { no_proxy: all.join(','), NO_PROXY: all.join(',') };
}

function isThere(): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function ofCodex(file: string): string {
  try {
    return readFileSync(join(env['CODEX_HOME'] ?? join(env['HOME'] ?? '', '.codex'), file), 'utf8');
  } catch {
    return '';
  }
}
