/** Serves the loop's socket: one route, JSON only, on a Unix socket that only its user can open. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { contractVersion, messageSchema, type Reply } from './contract.ts';
import type { Steering } from '../core/commands.ts';

const bodyLimit = 256 * 1024;

/**
 * Listens until disposed, or says in one sentence why it must not. `handle` answers one request; its rejection is a bug
 * and becomes a 500.
 */
export async function serve(
  socket: string,
  handle: (request: Steering) => Promise<Reply>,
): Promise<AsyncDisposable | { readonly refused: string }> {
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
  const problem = problemWith(socket);
  if (problem !== null) return { refused: problem };
  // What a killed loop left.
  rmSync(socket, { force: true });
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 5_000 },
    (request, response) => {
      answer(request, response, handle).catch(() => {
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    },
  );
  await listen(server, socket);
  chmodSync(socket, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(socket, { force: true });
    },
  };
}

/** In a folder that anybody else can write to, the socket could be swapped for theirs. */
function problemWith(socket: string): string | null {
  const folder = lstatSync(dirname(socket));
  const uid = process.getuid?.() ?? folder.uid;
  if (!folder.isDirectory() || folder.uid !== uid || (folder.mode & 0o777) !== 0o700)
    return `${dirname(socket)} is not a folder that you own and only you can open (mode 0700)`;
  const there = lstatSync(socket, { throwIfNoEntry: false });
  if (there === undefined || (there.isSocket() && there.uid === uid)) return null;
  return `${socket} is not a socket of czar's`;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (request: Steering) => Promise<Reply>,
): Promise<void> {
  if (request.method !== 'POST' || request.url !== '/requests')
    return void response.writeHead(404).end();
  if (request.headers['content-type'] !== 'application/json')
    return void response.writeHead(415).end();
  const body = await readBody(request);
  if (body === null) return void response.writeHead(413).end();
  const message = messageSchema.safeParse(parse(body));
  if (!message.success) {
    return send(
      response,
      400,
      refusal('The running czar does not understand this request: it is another version.'),
    );
  }
  send(response, 200, await handle(message.data.request));
}

function send(response: ServerResponse, status: number, reply: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
}

function refusal(what: string): Reply {
  const next = 'Use the czar that started the run, or end it first (Ctrl-C in its terminal).';
  return {
    v: contractVersion,
    ok: false,
    rejection: { consequence: 'reject', exit: 4, what, next },
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > bodyLimit) return null;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function listen(server: Server, socket: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, () => resolve());
  });
}
