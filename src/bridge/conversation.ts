/**
 * One attempt's conversation with an agent: greeting, session, prompt, and what it says and asks until its turn is over.
 *
 * Invariants: nothing but the prompt itself takes longer than it may; when the agent ends early that is the outcome, and
 * so is a cancellation that it does not answer in time.
 */
import {
  client,
  methods,
  PROTOCOL_VERSION,
  type McpServer,
  type Stream,
} from '@agentclientprotocol/sdk';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Profile } from '../agents/acp-profiles.ts';
import type { AttemptPermissions } from '../agents/ask-permission.ts';
import { objectIn, textIn, type Json } from '../agents/json-lines.ts';
import type { ChildEnd } from '../process/spoken-child.ts';
import { decide, type AskPerson, type Option } from './decide.ts';
import { figures, troubleIn, type Figures } from './figures.ts';
import type { Print } from './lines.ts';
import { refusal, type Outcome, type Stage } from './outcome.ts';
import { costBefore, noteCost } from './session-cost.ts';
import { openSession } from './session.ts';
import { taskList } from './tasks.ts';
import { toolCalls } from './tool-calls.ts';
import { words } from './words.ts';

export interface ConversationOptions {
  readonly stream: Stream;
  /** Resolves when the agent's program is gone. */
  readonly ended: Promise<ChildEnd>;
  readonly profile: Profile;
  readonly permissions: AttemptPermissions;
  readonly cwd: string;
  /** The attempt's folder, absolute. */
  readonly attemptDir: string;
  readonly mcpServers: McpServer[];
  readonly resume: { readonly session: string; readonly message: string } | null;
  readonly model: string | null;
  /** Its standing instructions; null for none. */
  readonly standing: string | null;
  /** The whole prompt. */
  readonly prompt: () => string;
  readonly env: NodeJS.ProcessEnv;
  readonly ask: AskPerson;
  readonly print: Print;
  /** Cancels its turn. */
  readonly signal: AbortSignal;
  /** How long an answer to anything but a prompt may take, milliseconds. */
  readonly patienceMs: number;
  /** How long it may take to cancel its turn, milliseconds. */
  readonly cancelMs: number;
}

/** Leads the conversation to its end. Never throws. */
export async function converse(options: ConversationOptions): Promise<Outcome> {
  const { print, signal, profile, cwd, mcpServers, env, model, permissions } = options;
  const said = words(print);
  const told: Print = (line) => {
    said.flush();
    return print(line);
  };
  const calls = toolCalls(told);
  const plan = taskList(told);
  const turn: Turn = {
    figures: null,
    broken: null,
    pending: null,
    cancelled: new AbortController(),
  };

  const app = client({ name: 'czar' })
    .onRequest(methods.client.session.requestPermission, async ({ params }) => {
      const call = calls.take(json(params.toolCall));
      calls.tell(call);
      const optionId = await decide(call, params.options satisfies readonly Option[], {
        permissions,
        server: mcpServers[0]?.name ?? null,
        ask: options.ask,
        print: told,
        signal: turn.cancelled.signal,
      });
      return optionId === null
        ? { outcome: { outcome: 'cancelled' } }
        : { outcome: { outcome: 'selected', optionId } };
    })
    // Nothing of an update is taken for granted where it is read: the schemas would make it half as dear again.
    .onNotification(methods.client.session.update, updateIn, ({ params }) => {
      // What a session was before is told again when it is loaded.
      if (turn.figures !== null) take(params, turn.figures);
    });
  const take = (update: Json, counted: Figures): void => {
    const text = textIn(objectIn(update, 'content'), 'text') ?? '';
    switch (textIn(update, 'sessionUpdate')) {
      case 'agent_message_chunk':
        said.say('text', text);
        return counted.chunk(update);
      case 'agent_thought_chunk':
        return said.say('thought', text);
      case 'tool_call':
      case 'tool_call_update':
        return void calls.take(update);
      case 'plan':
        return plan(update);
      case 'usage_update':
        said.flush();
        return counted.context(update);
      case 'session_info_update':
        return noteTrouble(turn, update, told);
      case null:
      default:
        return;
    }
  };

  const connection = app.connect(options.stream);
  const { agent } = connection;
  let stage: Stage = 'initialize';
  const gone = options.ended.then((end): Outcome => endedEarly(stage, end));
  const stopped = Promise.withResolvers<Outcome>();
  const cancelled: Outcome = { kind: 'end', stop: 'cancelled' };
  const lead = async (): Promise<Outcome> => {
    const greeting = await within(
      options.patienceMs,
      agent.request(methods.agent.initialize, {
        protocolVersion: PROTOCOL_VERSION,
        clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
        clientInfo: { name: 'czar', version: '1' },
      }),
    );
    const { agentInfo, protocolVersion } = greeting;
    told({
      type: 'agent',
      name: agentInfo?.name ?? null,
      version: agentInfo?.version ?? null,
      protocol: protocolVersion,
    });
    stage = 'session';
    const session = await openSession({
      agent,
      profile,
      policy: permissions.policy,
      greeting: json(greeting),
      cwd,
      mcpServers,
      resume: options.resume?.session ?? null,
      model,
      standing: options.standing,
      env,
      ask: (what) => within(options.patienceMs, what),
      print: told,
    });
    if ('kind' in session) return session;
    if (signal.aborted) return cancelled;
    stage = 'prompt';
    const { attemptDir } = options;
    const counted = figures(
      {
        kind: profile.usage,
        isNew: !session.goesOn,
        costBefore: session.goesOn ? costBefore(attemptDir, session.id) : 0,
        noteCost: (costUsd) => noteCost(attemptDir, session.id, costUsd),
      },
      told,
    );
    turn.figures = counted;
    const text = session.goesOn ? (options.resume?.message ?? '') : options.prompt();
    const answer = agent.request(methods.agent.session.prompt, {
      sessionId: session.id,
      prompt: [{ type: 'text', text }],
    });
    const cancel = (): void => {
      turn.cancelled.abort();
      agent.notify(methods.agent.session.cancel, { sessionId: session.id }).catch(() => {});
    };
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
    const answered = await answer;
    // What it said before its answer has come before it.
    await new Promise((resolve) => setImmediate(resolve));
    said.flush();
    counted.end(json(answered));
    return turn.broken ?? { kind: 'end', stop: answered.stopReason };
  };
  signal.addEventListener(
    'abort',
    () => void sleep(options.cancelMs).then(() => stopped.resolve(cancelled)),
    { once: true },
  );
  const led = lead().catch(async (error: unknown) => {
    // A connection that broke with its program is its program's end.
    const end = connection.signal.aborted ? await Promise.race([gone, sleep(1000, null)]) : null;
    return end ?? refusal(stage, error);
  });
  const outcome = await Promise.race([led, gone, stopped.promise]);
  said.flush();
  connection.close();
  const over = signal.aborted && outcome.kind === 'failed';
  return over ? cancelled : outcome;
}

/** The update in the parameters of a notification. */
function updateIn(params: unknown): Json {
  const given = typeof params === 'object' && params !== null ? { ...params } : {};
  return objectIn(given, 'update');
}

interface Turn {
  /** Null before its prompt. */
  figures: Figures | null;
  /** What broke its turn, though it ended it as if nothing had. */
  broken: Outcome | null;
  /** What it tries again after. */
  pending: Outcome | null;
  readonly cancelled: AbortController;
}

function noteTrouble(turn: Turn, update: Json, print: Print): void {
  const trouble = troubleIn(update);
  if (trouble === null) return;
  const { over, error } = trouble;
  const info = Object.values(objectIn(error, 'codexErrorInfo')).find(
    (one): one is Json => typeof one === 'object' && one !== null,
  );
  const status = info?.['httpStatusCode'];
  const message = textIn(error, 'additionalDetails') ?? textIn(error, 'message');
  if (message !== null) print({ type: 'trouble', message });
  const before = turn.pending?.kind === 'failed' ? turn.pending : null;
  const failed: Outcome = {
    kind: 'failed',
    at: 'prompt',
    message: message ?? before?.message ?? 'its turn broke off',
    status: typeof status === 'number' ? status : (before?.status ?? null),
    final: false,
  };
  // What it tries again is no end of the turn.
  if (over) turn.broken = failed;
  else turn.pending = failed;
}

async function within<T>(ms: number, what: Promise<T>): Promise<T> {
  const waiting = new AbortController();
  const late = sleep(ms, null, { signal: waiting.signal }).then(
    () => {
      throw new Error(`it did not answer within ${Math.round(ms / 1000)} s`);
    },
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([what, late]);
  } finally {
    waiting.abort();
  }
}

function endedEarly(at: Stage, end: ChildEnd): Outcome {
  const failed = { kind: 'failed', status: null } as const;
  switch (end.kind) {
    case 'not-started':
      return {
        ...failed,
        at: 'start',
        message: `its program could not be started: ${end.why}`,
        final: true,
      };
    case 'exited':
      return {
        ...failed,
        at,
        message: `it ended with exit code ${end.code} in the middle`,
        final: false,
      };
    case 'signalled':
      return { ...failed, at, message: `it was ended by ${end.signal}`, final: false };
  }
}

/** A value of the protocol, as what nothing is known of. */
function json(value: object): Json {
  return { ...value };
}
