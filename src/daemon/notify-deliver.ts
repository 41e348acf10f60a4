/**
 * One try to tell somebody: a command, a webhook, the desktop. Never throws. What is said of a failure holds no argument,
 * no path of a URL, no secret and nothing that the other side said.
 */
import { createHmac } from 'node:crypto';
import type { NotifyTarget } from '../core/plan.ts';
import { runCommand, type CommandResult } from '../process/run.ts';
import { which } from '../process/which.ts';
import type { Notice } from '../report/notice.ts';
import type { Scheduler } from './scheduler.ts';

/** Why somebody was not told; `again` when another try may help. */
export interface Problem {
  readonly what: string;
  readonly again: boolean;
}

export interface DeliverContext {
  /** Folder that commands run in. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  readonly timer: Scheduler['timer'];
}

/** Time limits of one try, milliseconds. */
const commandMs = 30_000;
const webhookMs = 10_000;

/** SIGTERM to SIGKILL, milliseconds. */
const graceMs = 1_000;

/** Tries once; null when the target has been told. */
export async function deliver(
  to: NotifyTarget['to'],
  notice: Notice,
  context: DeliverContext,
): Promise<Problem | null> {
  try {
    switch (to.kind) {
      case 'command':
        return await hand(to.argv, notice, context);
      case 'webhook':
        return await post(to, notice, context);
      case 'desktop':
        return await show(notice, context);
    }
  } catch (error) {
    return { what: codeOf(error) ?? 'an internal error', again: false };
  }
}

/** What a target is called in the log. */
export function nameOf(to: NotifyTarget['to']): string {
  switch (to.kind) {
    case 'command':
      return `the command ${to.argv[0] ?? ''}`;
    case 'webhook':
      return `the webhook at ${URL.parse(to.url)?.origin ?? 'no URL'}`;
    case 'desktop':
      return 'the desktop';
  }
}

async function hand(
  argv: readonly string[],
  notice: Notice,
  context: DeliverContext,
): Promise<Problem | null> {
  const { CZAR_RUN: _run, CZAR_WORKER: _worker, ...env } = context.env;
  return run(context, {
    argv,
    input: `${notice.json}\n`,
    env: {
      ...env,
      CZAR_EVENT: notice.type,
      ...(notice.run === null ? {} : { CZAR_RUN: notice.run }),
      ...(notice.worker === null ? {} : { CZAR_WORKER: notice.worker }),
    },
  });
}

async function post(
  { url, secretEnv }: Extract<NotifyTarget['to'], { kind: 'webhook' }>,
  notice: Notice,
  { env, signal, timer }: DeliverContext,
): Promise<Problem | null> {
  const secret = env[secretEnv] ?? '';
  // Without it the receiver could not tell who is speaking.
  if (secret === '') return { what: `the variable ${secretEnv} is not set`, again: false };
  const limit = new AbortController();
  const callOff = timer(() => limit.abort(), webhookMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: notice.json,
      redirect: 'manual',
      signal: AbortSignal.any([signal, limit.signal]),
      headers: {
        'Content-Type': 'application/json',
        'X-Czar-Event': notice.type,
        'X-Czar-Signature': `sha256=${createHmac('sha256', secret).update(notice.json).digest('hex')}`,
        'X-Czar-Delivery': notice.id,
      },
    });
    // Nobody reads what it says.
    await response.body?.cancel();
    return response.ok ? null : { what: `it answered with status ${response.status}`, again: true };
  } catch (error) {
    if (limit.signal.aborted)
      return { what: `no answer within ${webhookMs / 1000} s`, again: true };
    return { what: codeOf(error) ?? 'the connection failed', again: true };
  } finally {
    callOff();
  }
}

/** Shows it as the system of this machine does; text of agents is an argument, never part of a script or markup. */
async function show({ title, text }: Notice, context: DeliverContext): Promise<Problem | null> {
  const program = process.platform === 'darwin' ? 'osascript' : 'notify-send';
  const found = which({ program, path: context.env['PATH'] ?? '', cwd: context.cwd });
  if ('missing' in found) return { what: found.missing, again: false };
  const script = [
    'on run argv',
    'display notification (item 2 of argv) with title (item 1 of argv)',
    'end run',
  ];
  const argv =
    program === 'osascript'
      ? [found.path, ...script.flatMap((line) => ['-e', line]), '--', title, text]
      : [found.path, '--app-name=czar', '--', title, withoutMarkup(text)];
  return run(context, { argv, env: context.env });
}

function withoutMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

async function run(
  { cwd, signal }: DeliverContext,
  command: {
    readonly argv: readonly string[];
    readonly env: NodeJS.ProcessEnv;
    readonly input?: string;
  },
): Promise<Problem | null> {
  const limits = { timeoutMs: commandMs, graceMs, maxOutputBytes: 1024 };
  return problemOf(await runCommand({ ...command, ...limits, cwd, signal }));
}

function problemOf({ code, signal, timedOut, spawnError }: CommandResult): Problem | null {
  if (spawnError !== null) return { what: 'it could not be started', again: false };
  if (timedOut) return { what: `it did not end within ${commandMs / 1000} s`, again: false };
  if (signal !== null) return { what: `${signal} ended it`, again: false };
  return code === 0 ? null : { what: `it ended with exit code ${code}`, again: false };
}

/** The system's name of what went wrong, such as ECONNREFUSED. */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause);
}
