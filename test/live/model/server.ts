/**
 * A model on loopback for agents in tests: Anthropic Messages, OpenAI Responses and Chat Completions, Gemini. What it
 * says is `script.ts`; it counts what it was asked.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { objectOn, textIn } from '../../../src/agents/json-lines.ts';
import { questionIn, type Protocol } from './conversation.ts';
import { errorBody, json, reply } from './replies.ts';
import { answerTo, type Answer, type Question } from './script.ts';

export interface Asked {
  readonly protocol: Protocol;
  readonly question: Question;
  readonly answer: Answer;
  readonly body: string;
}

export interface ModelServer extends AsyncDisposable {
  /** Such as `http://127.0.0.1:4711`. */
  readonly url: string;
  /** Everything that it was asked, in order. */
  readonly asked: readonly Asked[];
}

/** Listens on a free port. */
export async function startModel(port = 0): Promise<ModelServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    answer(request, response, asked).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  asked: Asked[],
): Promise<void> {
  const text = await bodyOf(request);
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const protocol = request.method === 'POST' ? protocolOf(pathname) : null;
  if (protocol === null) return elsewhere(pathname, response);
  const body = objectOn(text) ?? {};
  const question = questionIn(protocol, body);
  const found = answerTo(question);
  asked.push({ protocol, question, answer: found, body: text });
  if (found.kind === 'error')
    return json(response, found.status, errorBody(protocol, found.status));
  const model = textIn(body, 'model') ?? /models\/([^:/]+)/.exec(pathname)?.[1] ?? 'a-model';
  const stream = body['stream'] === true || pathname.endsWith(':streamGenerateContent');
  await reply(response, { protocol, model, stream }, found);
}

function protocolOf(path: string): Protocol | null {
  if (path.endsWith('/messages')) return 'messages';
  if (path.endsWith('/responses')) return 'responses';
  if (path.endsWith('/chat/completions')) return 'chat';
  return /:(?:generateContent|streamGenerateContent)$/.test(path) ? 'gemini' : null;
}

/** What agents ask beside their work: how many tokens something has, which models there are. */
function elsewhere(path: string, response: ServerResponse): void {
  if (path.endsWith('/count_tokens')) return json(response, 200, { input_tokens: 100 });
  if (path.endsWith(':countTokens')) return json(response, 200, { totalTokens: 100 });
  if (path.endsWith('/models'))
    return json(response, 200, { object: 'list', data: [], models: [] });
  json(response, 404, { error: { type: 'not_found_error', message: 'there is nothing here' } });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
