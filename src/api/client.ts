/** Asks the loop that is alive, over its socket. */
import { request as httpRequest } from 'node:http';
import type { z } from 'zod';
import {
  aliveSchema,
  begunSchema,
  contractVersion,
  endedSchema,
  prunedSchema,
  replySchema,
  type Begin,
  type Begun,
  type End,
  type Ended,
  type PruneAsked,
  type PruneReply,
  type Reply,
} from './contract.ts';
import type { Steering } from '../core/commands.ts';

/** Whom to ask: the process that leads the loop, and where it should listen. */
export interface Listener {
  readonly socket: string;
  readonly pid: number;
}

/**
 * Why nothing was asked: nobody listens; somebody does and says nothing; the other side is another version; or it is
 * not who it should be. An `unreachable` one may listen in a moment.
 */
export type Unasked = 'unreachable' | 'hung' | 'not understood' | 'stranger';

/**
 * How long an answer may take, milliseconds; what begins a run may have to look at all of a checkout, and
 * what is deleted may be millions of files. Whoever does not
 * say within `alive` that it is there is not asked.
 */
const patienceMs = { alive: 3_000, usual: 30_000, begin: 300_000, prune: 3_600_000 } as const;

/**
 * The loop's reply, or `unreachable` when nobody listens on the socket: then nothing was asked. A loop that went away
 * before it answered may have taken the request, and the reply says so.
 */
export async function ask(to: Listener, request: Steering): Promise<Reply | 'unreachable'> {
  const asked = talk(to, { path: '/requests', message: { request }, schema: replySchema });
  return understood(to, await asked);
}

/** Asks the daemon to begin, or to go on with, a run. */
export async function askBegin(to: Listener, begin: Begin): Promise<Begun | 'unreachable'> {
  const patience = patienceMs.begin;
  const asked = talk(to, { path: '/begin', message: begin, schema: begunSchema, patience });
  return understood(to, await asked);
}

/** Asks the daemon to end; or says why it could not be asked. */
export async function askEnd(to: Listener, end: End): Promise<Ended | Unasked> {
  return talk(to, { path: '/end', message: end, schema: endedSchema });
}

/** Asks the loop to delete what old runs hold. */
export async function askPrune(
  to: Listener,
  asked: PruneAsked,
): Promise<PruneReply | 'unreachable'> {
  const patience = patienceMs.prune;
  const about = { path: '/prune', message: asked, schema: prunedSchema, patience };
  return understood(to, await talk(to, about));
}

/** Tells the loop that this process was refused before it asked, so that its log has it; whether it hears is no matter. */
export async function tellRefused(to: Listener, asked: string): Promise<void> {
  await talk(to, {
    path: '/refused',
    message: { asked },
    schema: replySchema,
    patience: 2_000,
  });
}

/** Whether the loop answers: `there`, or why not. */
export async function greet(to: Listener): Promise<'there' | Unasked> {
  const body = JSON.stringify({ v: contractVersion, pid: process.pid });
  const answer = await post(to.socket, { path: '/alive', body, patience: patienceMs.alive });
  switch (answer.kind) {
    case 'unreachable':
    case 'hung':
      return answer.kind;
    // It has just ended.
    case 'cut-off':
      return 'unreachable';
    case 'answer': {
      const read = aliveSchema.safeParse(parse(answer.text));
      if (!read.success) return 'not understood';
      return read.data.pid === to.pid ? 'there' : 'stranger';
    }
  }
}

async function talk<Answer>(
  to: Listener,
  about: {
    readonly path: string;
    readonly message: object;
    readonly schema: z.ZodType<Answer>;
    readonly patience?: number;
  },
): Promise<Answer | ReturnType<typeof rejected> | Unasked> {
  const { path, message, schema, patience = patienceMs.usual } = about;
  const found = await greet(to);
  if (found !== 'there') return found;
  const body = JSON.stringify({ v: contractVersion, pid: process.pid, ...message });
  const answer = await post(to.socket, { path, body, patience });
  switch (answer.kind) {
    case 'unreachable':
      return 'unreachable';
    case 'hung':
    case 'cut-off':
      return rejected(
        answer.kind === 'hung'
          ? `The running czar (pid ${to.pid}) has not answered within ${patience / 1_000} s.`
          : `The running czar went away before it answered: ${answer.error}.`,
        'czar status shows whether it was done.',
      );
    case 'answer': {
      // Of a message that it does not understand, the other side says so by this code.
      if (answer.status === 400) return 'not understood';
      const reply = schema.safeParse(parse(answer.text));
      return reply.success ? reply.data : 'not understood';
    }
  }
}

/** The answer, or why there was none to understand. */
function understood<Answer extends object>(
  { pid }: Listener,
  answer: Answer | Unasked,
): Answer | ReturnType<typeof rejected> | 'unreachable' {
  if (typeof answer !== 'string') return answer;
  switch (answer) {
    case 'unreachable':
      return answer;
    case 'not understood':
      return rejected(
        'The running czar is another version, and the two do not understand each other.',
        'Use the czar that started it, or end it first: czar daemon restart, or Ctrl-C in its terminal.',
      );
    case 'hung':
      return rejected(
        `The running czar (pid ${pid}) does not answer: it is stopped, or hangs. Nothing was asked.`,
        `czar daemon restart replaces a daemon, its agents run on; kill -CONT ${pid} lets one go on that was stopped.`,
      );
    case 'stranger':
      return rejected(
        `What listens in place of the running czar (pid ${pid}) is another program. Nothing was asked.`,
        'czar daemon restart makes it listen anew; its agents run on.',
      );
  }
}

function rejected(what: string, next: string): Extract<Reply, { ok: false }> {
  const rejection = { consequence: 'reject', exit: 4, what, next } as const;
  return { v: contractVersion, ok: false, rejection };
}

type Answered =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string }
  | { readonly kind: 'unreachable' }
  /** It took the connection, and said nothing for as long as it was waited for. */
  | { readonly kind: 'hung' }
  | { readonly kind: 'cut-off'; readonly error: string };

async function post(
  socket: string,
  {
    path,
    body,
    patience,
  }: { readonly path: string; readonly body: string; readonly patience: number },
): Promise<Answered> {
  return new Promise((resolve) => {
    let connected = false;
    const failed = (error: Error): void => {
      resolve(connected ? { kind: 'cut-off', error: error.message } : { kind: 'unreachable' });
    };
    const call = httpRequest(
      {
        socketPath: socket,
        path,
        method: 'POST',
        timeout: patience,
        // A kept connection may be one to a loop that has gone meanwhile.
        agent: false,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            kind: 'answer',
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
        response.on('error', failed);
      },
    );
    // Whatever comes after that comes too late: the promise is settled.
    call.on('timeout', () => {
      resolve({ kind: 'hung' });
      call.destroy();
    });
    call.on('error', failed);
    call.on('socket', (connection) => {
      connection.on('connect', () => {
        connected = true;
      });
    });
    call.end(body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
