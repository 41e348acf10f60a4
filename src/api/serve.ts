/** Serves the loop's socket: a few routes, JSON only, on a Unix socket that only its user can open. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  aliveSchema,
  beginSchema,
  contractVersion,
  endSchema,
  hearSchema,
  messageSchema,
  pruneSchema,
  refusedSchema,
  type Begin,
  type Begun,
  type End,
  type Ended,
  type PruneAsked,
  type PruneReply,
  type Reply,
} from './contract.ts';
import type { Rejection, Steering } from '../core/commands.ts';
import type { LoopNotice } from '../daemon/notices.ts';
import type { z } from 'zod';

const bodyLimit = 256 * 1024;

/** How much of what is said may wait for somebody who listens and does not read, bytes. */
const unheardLimit = 256 * 1024;

/** Who answers; a rejection of theirs is a bug and becomes a 500. */
export interface Handlers {
  /** Why this process may not ask that, which is logged; null when it may. */
  readonly refuse: (pid: number, asked: string) => Rejection | null;
  /** A process was refused by its own czar. */
  readonly refused: (pid: number, asked: string) => void;
  readonly steer: (request: Steering) => Promise<Reply>;
  readonly begin: (asked: Begin) => Promise<Begun>;
  readonly end: (asked: End) => Promise<Ended>;
  readonly prune: (asked: PruneAsked) => Promise<PruneReply>;
  /** Tells what the loop says beside its events, until the function that it gives is called. */
  readonly hear: (listener: (notice: LoopNotice) => void) => () => void;
}

/** One thing that can be asked: what a message of it is, and who answers. */
interface Route {
  readonly answer: (handlers: Handlers, message: unknown) => Promise<object> | null;
}

/** Hands what the schema accepts to its handler, when who asks may; null when it accepts nothing. */
function route<Message extends { readonly pid?: number | undefined }>(
  schema: z.ZodType<Message>,
  asked: (message: Message) => string,
  handle: (handlers: Handlers, message: Message) => Promise<object>,
): Route {
  return {
    answer: (handlers, message) => {
      const read = schema.safeParse(message);
      if (!read.success) return null;
      const { pid } = read.data;
      const rejection = pid === undefined ? null : handlers.refuse(pid, asked(read.data));
      if (rejection === null) return handle(handlers, read.data);
      return Promise.resolve({ v: contractVersion, ok: false, rejection } satisfies Reply);
    },
  };
}

/** The one route that is answered line by line. */
const hearing = '/notices';

const routes: Readonly<Record<string, Route>> = {
  '/requests': route(
    messageSchema,
    ({ request }) => request.kind,
    ({ steer }, { request }) => steer(request),
  ),
  '/begin': route(
    beginSchema,
    () => 'run',
    ({ begin }, { checkout, wanted }) => begin({ checkout, wanted }),
  ),
  '/end': route(
    endSchema,
    () => 'daemon stop',
    ({ end }, { agents }) => end({ agents }),
  ),
  '/prune': route(
    pruneSchema,
    () => 'prune',
    ({ prune }, { checkout, retention }) => prune({ checkout, retention }),
  ),
  '/alive': {
    answer: (_handlers, message) =>
      aliveSchema.safeParse(message).success
        ? Promise.resolve({ v: contractVersion, pid: process.pid })
        : null,
  },
  '/refused': {
    answer: (handlers, message) => {
      const read = refusedSchema.safeParse(message);
      if (!read.success) return null;
      handlers.refused(read.data.pid, read.data.asked);
      return Promise.resolve({ v: contractVersion, ok: true } satisfies Reply);
    },
  },
};

/** Listens until disposed, or says in one sentence why it must not. */
export async function serve(
  socket: string,
  handlers: Handlers,
): Promise<AsyncDisposable | { readonly refused: string }> {
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
  const problem = problemWith(socket);
  if (problem !== null) return { refused: problem };
  // What a killed loop left.
  rmSync(socket, { force: true });
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 5_000 },
    (request, response) => {
      answer(request, response, handlers).catch(() => {
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
  handlers: Handlers,
): Promise<void> {
  const path = request.url ?? '';
  const asked = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (request.method !== 'POST' || (asked === undefined && path !== hearing))
    return void response.writeHead(404).end();
  if (request.headers['content-type'] !== 'application/json')
    return void response.writeHead(415).end();
  const body = await readBody(request);
  if (body === null) return void response.writeHead(413).end();
  if (path === hearing) {
    if (hearSchema.safeParse(parse(body)).success) return tell(response, handlers);
    return send(response, 400, notUnderstood());
  }
  const answered = asked?.answer(handlers, parse(body));
  if (answered == null) return send(response, 400, notUnderstood());
  send(response, 200, await answered);
}

function send(response: ServerResponse, status: number, reply: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
}

/** Writes what the loop says, a line each, until the other side has gone or does not read. */
function tell(response: ServerResponse, { hear }: Handlers): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders();
  const stop = hear((notice) => {
    response.write(`${JSON.stringify(notice)}\n`);
    if (response.writableLength > unheardLimit) response.destroy();
  });
  response.on('close', stop).on('error', () => {});
}

function notUnderstood(): Reply {
  const what = 'The running czar does not understand this request: it is another version.';
  const next =
    'Use the czar that started it, or end it first: czar daemon restart, or Ctrl-C in its terminal.';
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
