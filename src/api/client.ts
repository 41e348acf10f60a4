/** Asks the loop that is alive, over its socket. */
import { request as httpRequest } from 'node:http';
import { contractVersion, replySchema, type Reply } from './contract.ts';
import type { Steering } from '../core/commands.ts';

/**
 * The loop's reply, or `unreachable` when nobody listens on the socket: then nothing was asked. A loop that went away
 * before it answered may have taken the request, and the reply says so.
 */
export async function ask(socket: string, request: Steering): Promise<Reply | 'unreachable'> {
  const body = JSON.stringify({ v: contractVersion, request });
  const answer = await post(socket, body);
  switch (answer.kind) {
    case 'unreachable':
      return 'unreachable';
    case 'cut-off':
      return rejected(
        `The running czar went away before it answered: ${answer.error}.`,
        'czar status shows whether it was done.',
      );
    case 'answer': {
      const reply = replySchema.safeParse(parse(answer.text));
      if (reply.success) return reply.data;
      return rejected(
        'The running czar gave an answer that this version does not understand.',
        'Use the czar that started the run, or end it first (Ctrl-C in its terminal).',
      );
    }
  }
}

function rejected(what: string, next: string): Reply {
  const rejection = { consequence: 'reject', exit: 4, what, next } as const;
  return { v: contractVersion, ok: false, rejection };
}

type Answered =
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'cut-off'; readonly error: string };

async function post(socket: string, body: string): Promise<Answered> {
  return new Promise((resolve) => {
    let connected = false;
    const failed = (error: Error): void => {
      resolve(connected ? { kind: 'cut-off', error: error.message } : { kind: 'unreachable' });
    };
    const call = httpRequest(
      {
        socketPath: socket,
        path: '/requests',
        method: 'POST',
        timeout: 30_000,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ kind: 'answer', text: Buffer.concat(chunks).toString('utf8') }),
        );
        response.on('error', failed);
      },
    );
    call.on('timeout', () => call.destroy(new Error('no answer within 30 s')));
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
