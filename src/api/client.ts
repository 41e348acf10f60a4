/** Asks the loop that is alive, over its socket. */
import { request as httpRequest } from 'node:http';
import type { z } from 'zod';
import {
  begunSchema,
  contractVersion,
  endedSchema,
  replySchema,
  type Begin,
  type Begun,
  type End,
  type Ended,
  type Reply,
} from './contract.ts';
import type { Steering } from '../core/commands.ts';

/** How long an answer may take, milliseconds; what begins a run may have to look at all of a checkout. */
const patienceMs = { usual: 30_000, begin: 300_000 } as const;

/**
 * The loop's reply, or `unreachable` when nobody listens on the socket: then nothing was asked. A loop that went away
 * before it answered may have taken the request, and the reply says so.
 */
export async function ask(socket: string, request: Steering): Promise<Reply | 'unreachable'> {
  return understood(
    await talk(socket, { path: '/requests', message: { request }, schema: replySchema }),
  );
}

/** Asks the daemon to begin, or to go on with, a run. */
export async function askBegin(socket: string, begin: Begin): Promise<Begun | 'unreachable'> {
  const patience = patienceMs.begin;
  return understood(
    await talk(socket, { path: '/begin', message: begin, schema: begunSchema, patience }),
  );
}

/** Asks the daemon to end; `not understood` when it is another version. */
export async function askEnd(
  socket: string,
  end: End,
): Promise<Ended | 'unreachable' | 'not understood'> {
  return talk(socket, { path: '/end', message: end, schema: endedSchema });
}

/** Tells the loop that this process was refused before it asked, so that its log has it; whether it hears is no matter. */
export async function tellRefused(socket: string, asked: string): Promise<void> {
  await talk(socket, {
    path: '/refused',
    message: { asked },
    schema: replySchema,
    patience: 2_000,
  });
}

async function talk<Answer>(
  socket: string,
  about: {
    readonly path: string;
    readonly message: object;
    readonly schema: z.ZodType<Answer>;
    readonly patience?: number;
  },
): Promise<Answer | ReturnType<typeof rejected> | 'unreachable' | 'not understood'> {
  const { path, message, schema, patience = patienceMs.usual } = about;
  const body = JSON.stringify({ v: contractVersion, pid: process.pid, ...message });
  const answer = await post(socket, { path, body, patience });
  switch (answer.kind) {
    case 'unreachable':
      return 'unreachable';
    case 'cut-off':
      return rejected(
        `The running czar went away before it answered: ${answer.error}.`,
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

/** The answer, or that the other side is another version. */
function understood<Answer>(
  answer: Answer | 'not understood',
): Answer | ReturnType<typeof rejected> {
  if (answer !== 'not understood') return answer;
  return rejected(
    'The running czar is another version, and the two do not understand each other.',
    'Use the czar that started it, or end it first: czar daemon restart, or Ctrl-C in its terminal.',
  );
}

function rejected(what: string, next: string): Extract<Reply, { ok: false }> {
  const rejection = { consequence: 'reject', exit: 4, what, next } as const;
  return { v: contractVersion, ok: false, rejection };
}

type Answered =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string }
  | { readonly kind: 'unreachable' }
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
    call.on('timeout', () => call.destroy(new Error(`no answer within ${patience / 1_000} s`)));
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
