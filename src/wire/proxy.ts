/**
 * The proxy of one attempt: passes requests of its agent on to the endpoints that it would have asked, answers as they
 * come, and reads what the answers say of tokens while they pass by.
 *
 * Owns a port on loopback and the connections over it. Invariants: nothing of a request or an answer is kept, changed or
 * written anywhere; what the endpoint says, errors too, reaches the agent as it is; an answer that breaks off breaks off
 * for the agent; who does not know the token gets nothing. Answers are asked for uncompressed, so that they can be read.
 */
import { timingSafeEqual } from 'node:crypto';
import {
  Agent as HttpAgent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Usage } from '../core/events.ts';
import { sum } from '../core/usage.ts';
import { answerReader } from './answer-reader.ts';

export interface ProxyOptions {
  /** Where requests to `/<token>/<n>/…` go, by n. */
  readonly endpoints: readonly URL[];
  /** What every request has in its path, or as the header `x-czar-meter`. */
  readonly token: string;
  /** All that was read so far, and whether an answer is over. */
  readonly counted: (total: Usage, isOver: boolean) => void;
  /** Variables that may name a proxy on the way to the network. */
  readonly env: NodeJS.ProcessEnv;
}

export interface Proxy {
  readonly port: number;
  /** Breaks off what is under way. */
  readonly close: () => Promise<void>;
}

/** The header that holds the token where it must not stand in an address. */
export const tokenHeader = 'x-czar-meter';

/** Headers that are between two ends of one connection, and what the proxy says itself. */
const own: ReadonlySet<string> = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  tokenHeader,
]);

/** Listens on a free port of loopback. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { env: proxyEnv } = options;
  const ways: Ways = {
    'http:': new HttpAgent({ proxyEnv }),
    'https:': new HttpsAgent({ proxyEnv }),
  };
  const count = counter(options);
  let host = '';
  const server = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
    response.on('error', () => {});
    const target = request.headers.host === host ? targetOf(request, options) : null;
    if (target === null || request.headers.origin !== undefined) refuse(response);
    else forward({ request, response, target }, ways, count());
  });
  // Its agent takes as long as it likes, and may use a connection again after long.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 600_000;
  // What is no longer HTTP cannot be read: agents fall back when they are told so.
  server.on('upgrade', (_, socket) => {
    socket.on('error', () => {});
    socket.end('HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  host = `127.0.0.1:${port}`;
  return {
    port,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

type Ways = Readonly<Record<'http:' | 'https:', HttpAgent>>;

/** Counts one answer. */
interface Count {
  readonly told: (usage: Usage) => void;
  readonly over: () => void;
}

/** Sums up what answers tell, those that are not over yet included. */
function counter({ counted }: ProxyOptions): () => Count {
  let before: Usage = { input: 0, output: 0, cached: 0, costUsd: 0 };
  const open = new Map<object, Usage>();
  return () => {
    const answer = {};
    return {
      told: (usage) => {
        open.set(answer, usage);
        counted([...open.values()].reduce(sum, before), false);
      },
      over: () => {
        const usage = open.get(answer);
        if (usage === undefined) return;
        open.delete(answer);
        before = sum(before, usage);
        counted([...open.values()].reduce(sum, before), true);
      },
    };
  };
}

/** Where the request goes; null for one that is not the agent's. */
function targetOf(
  { url = '', headers }: IncomingMessage,
  { endpoints, token }: ProxyOptions,
): URL | null {
  const said = headers[tokenHeader];
  const [, inPath, number, rest] =
    (typeof said === 'string'
      ? /^()\/(\d{1,3})(\/.*|\?.*)?$/
      : /^\/([^/]+)\/(\d{1,3})(\/.*|\?.*)?$/
    ).exec(url) ?? [];
  const endpoint = endpoints[Number(number)];
  if (endpoint === undefined || !isSame(typeof said === 'string' ? said : (inPath ?? ''), token))
    return null;
  const target = new URL(endpoint);
  const [path = '', query] = (rest ?? '').split(/\?(.*)/s);
  target.pathname = endpoint.pathname.replace(/\/$/, '') + path;
  if (query !== undefined) target.search = query;
  return target;
}

function isSame(said: string, token: string): boolean {
  const [one, other] = [Buffer.from(said), Buffer.from(token)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function refuse(response: ServerResponse): void {
  response.writeHead(403, { connection: 'close' }).end();
}

function forward(
  exchange: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly target: URL;
  },
  ways: Ways,
  count: Count,
): void {
  const { request, response, target } = exchange;
  const secure = target.protocol === 'https:';
  const onward = (secure ? httpsRequest : httpRequest)({
    protocol: target.protocol,
    hostname: target.hostname.replace(/^\[|\]$/g, ''),
    port: target.port,
    path: target.pathname + target.search,
    method: request.method,
    agent: ways[secure ? 'https:' : 'http:'],
    headers: [
      ...passedOn(request.rawHeaders, new Set([...own, 'accept-encoding'])),
      'host',
      target.host,
      'accept-encoding',
      'identity',
      ...basicAuth(target, request),
    ],
  });
  onward.on('response', (answer) => {
    // Which it is not to be made up here.
    response.sendDate = false;
    response.writeHead(
      answer.statusCode ?? 502,
      answer.statusMessage,
      passedOn(answer.rawHeaders, own),
    );
    response.flushHeaders();
    const encoded = answer.headers['content-encoding'] !== undefined;
    const reader = encoded ? null : answerReader(answer.headers['content-type'], count.told);
    answer.on('data', (piece: Buffer) => {
      // Before the agent has it, so that what it says of it comes later.
      reader?.take(piece);
      if (!response.write(piece)) answer.pause();
    });
    response.on('drain', () => answer.resume());
    answer.on('end', () => {
      count.over();
      response.end();
    });
    answer.on('error', () => {});
    answer.on('close', () => {
      count.over();
      if (!answer.complete) response.destroy();
    });
  });
  onward.on('error', (error: NodeJS.ErrnoException) => {
    if (response.headersSent) response.destroy();
    else
      response
        .writeHead(502, { 'content-type': 'text/plain' })
        .end(`the endpoint cannot be reached: ${error.code ?? error.name}\n`);
  });
  request.on('error', () => onward.destroy());
  response.on('close', () => {
    if (!response.writableFinished) onward.destroy();
  });
  request.pipe(onward);
}

/** Names and values, one after the other, without those that are not passed on. */
function passedOn(raw: readonly string[], without: ReadonlySet<string>): string[] {
  const named = raw.flatMap((text, at) =>
    at % 2 === 0 && text.toLowerCase() === 'connection' ? (raw[at + 1] ?? '').split(',') : [],
  );
  const left = new Set(named.map((name) => name.trim().toLowerCase()));
  return raw.filter((_, at) => {
    const name = (raw[at - (at % 2)] ?? '').toLowerCase();
    return !without.has(name) && !left.has(name);
  });
}

/** The login that stands in the address of the endpoint, unless the agent sends one. */
function basicAuth({ username, password }: URL, { headers }: IncomingMessage): readonly string[] {
  if (username === '' || headers.authorization !== undefined) return [];
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return ['authorization', `Basic ${Buffer.from(login).toString('base64')}`];
}
