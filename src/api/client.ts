/** Asks the loop that is alive, over its socket. */
import { request as httpRequest } from 'node:http';
import { contractVersion, replySchema, type Reply } from './contract.ts';
import type { Steering } from '../core/commands.ts';

/** The loop's reply, or `unreachable` when nobody answers on the socket. */
export async function ask(socket: string, request: Steering): Promise<Reply | 'unreachable'> {
  const body = JSON.stringify({ v: contractVersion, request });
  let text: string;
  try {
    text = await post(socket, body);
  } catch {
    return 'unreachable';
  }
  const reply = replySchema.safeParse(parse(text));
  if (reply.success) return reply.data;
  const what = 'The running czar gave an answer that this version does not understand.';
  const next = 'Use the czar that started the run, or end it first (Ctrl-C in its terminal).';
  return {
    v: contractVersion,
    ok: false,
    rejection: { consequence: 'reject', exit: 4, what, next },
  };
}

async function post(socket: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
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
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
        response.on('error', reject);
      },
    );
    call.on('timeout', () => call.destroy(new Error('no answer within 30 s')));
    call.on('error', reject);
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
