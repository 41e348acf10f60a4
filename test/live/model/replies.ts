/** Writing of what the model answers, in the protocol that it was asked in. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import type { Protocol } from './conversation.ts';
import type { Answer } from './script.ts';

type Said = Extract<Answer, { kind: 'answer' }>;

/** How long the model takes for a piece of a slow answer, milliseconds. */
const pieceMs = 200;

let count = 0;
const newId = (prefix: string): string => `${prefix}_${(count += 1).toString(36).padStart(8, '0')}`;

/** Sends the answer; stops when nobody listens any more. */
export async function reply(
  response: ServerResponse,
  asked: { readonly protocol: Protocol; readonly model: string; readonly stream: boolean },
  answer: Said,
): Promise<void> {
  if (!asked.stream) return json(response, 200, wholes[asked.protocol](answer, asked.model));
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  for await (const event of streams[asked.protocol](answer, asked.model)) {
    if (response.destroyed) return;
    const { type } = event as { readonly type?: unknown };
    const name = typeof type === 'string' ? `event: ${type}\n` : '';
    response.write(`${name}data: ${JSON.stringify(event)}\n\n`);
  }
  if (asked.protocol === 'chat') response.write('data: [DONE]\n\n');
  response.end();
}

/** Sends one JSON document. */
export function json(response: ServerResponse, status: number, body: unknown): void {
  const retry: Record<string, string> = status === 429 ? { 'retry-after': '1' } : {};
  response.writeHead(status, { 'content-type': 'application/json', ...retry });
  response.end(JSON.stringify(body));
}

/** What the protocol says of an error. */
export function errorBody(protocol: Protocol, status: number): unknown {
  const message = `scripted ${status}`;
  if (protocol !== 'messages') return { error: { code: status, type: 'scripted', message } };
  const types: Readonly<Record<number, string>> = {
    401: 'authentication_error',
    429: 'rate_limit_error',
  };
  return { type: 'error', error: { type: types[status] ?? 'api_error', message } };
}

async function* pieces(answer: Said): AsyncGenerator<string> {
  if (answer.pieces === 0) yield answer.text;
  for (let at = 0; at < answer.pieces; at += 1) {
    yield `${answer.text}${at} `;
    await sleep(pieceMs);
  }
}

const streams: Readonly<Record<Protocol, (answer: Said, model: string) => AsyncGenerator<object>>> =
  {
    async *messages(answer, model) {
      const { fresh, cached, written } = answer.tokens;
      const usage = {
        input_tokens: fresh,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: cached,
      };
      const message = {
        id: newId('msg'),
        type: 'message',
        role: 'assistant',
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...usage, output_tokens: 1 },
      };
      yield { type: 'message_start', message };
      yield {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'text', text: '' },
      };
      for await (const text of pieces(answer))
        yield { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } };
      yield { type: 'content_block_stop', index: 0 };
      if (answer.call !== null) {
        const { tool, args } = answer.call;
        const block = { type: 'tool_use', id: newId('toolu'), name: tool.name, input: {} };
        yield { type: 'content_block_start', index: 1, content_block: block };
        const partial = JSON.stringify(args);
        yield {
          type: 'content_block_delta',
          index: 1,
          delta: { type: 'input_json_delta', partial_json: partial },
        };
        yield { type: 'content_block_stop', index: 1 };
      }
      yield {
        type: 'message_delta',
        delta: { stop_reason: answer.call === null ? 'end_turn' : 'tool_use', stop_sequence: null },
        usage: { ...usage, output_tokens: written },
      };
      yield { type: 'message_stop' };
    },

    async *responses(answer, model) {
      let sequence_number = 0;
      const numbered = (event: object): object => ({
        ...event,
        sequence_number: (sequence_number += 1),
      });
      const done = responsesWhole(answer, model);
      yield numbered({
        type: 'response.created',
        response: { ...done, status: 'in_progress', output: [], usage: null },
      });
      for (const [output_index, item] of done.output.entries()) {
        yield numbered({
          type: 'response.output_item.added',
          output_index,
          item: {
            ...item,
            status: 'in_progress',
            ...(item.type === 'message' ? { content: [] } : {}),
          },
        });
        if (item.type === 'message') {
          const at = { item_id: item.id, output_index, content_index: 0 };
          const part = { type: 'output_text', text: '', annotations: [] };
          yield numbered({ type: 'response.content_part.added', ...at, part });
          for await (const delta of pieces(answer))
            yield numbered({ type: 'response.output_text.delta', ...at, delta });
          yield numbered({ type: 'response.output_text.done', ...at, text: answer.text });
        }
        yield numbered({ type: 'response.output_item.done', output_index, item });
      }
      yield numbered({ type: 'response.completed', response: done });
    },

    async *chat(answer, model) {
      const base = { id: newId('chatcmpl'), created: seconds(), model };
      const chunk = (delta: object, finish_reason: string | null = null): object => ({
        ...base,
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta, finish_reason }],
      });
      yield chunk({ role: 'assistant', content: '' });
      for await (const content of pieces(answer)) yield chunk({ content });
      if (answer.call !== null)
        yield chunk({ tool_calls: [{ index: 0, ...chatCall(answer.call) }] });
      yield chunk({}, answer.call === null ? 'stop' : 'tool_calls');
      yield { ...base, object: 'chat.completion.chunk', choices: [], usage: chatUsage(answer) };
    },

    async *gemini(answer, model) {
      if (answer.pieces > 0)
        for await (const text of pieces(answer)) yield geminiPart([{ text }], model);
      yield geminiWhole(answer, model);
    },
  };

const wholes: Readonly<Record<Protocol, (answer: Said, model: string) => unknown>> = {
  messages(answer, model) {
    const { fresh, cached, written } = answer.tokens;
    const call =
      answer.call === null
        ? []
        : [
            {
              type: 'tool_use',
              id: newId('toolu'),
              name: answer.call.tool.name,
              input: answer.call.args,
            },
          ];
    return {
      id: newId('msg'),
      type: 'message',
      role: 'assistant',
      model,
      content: [{ type: 'text', text: answer.text }, ...call],
      stop_reason: answer.call === null ? 'end_turn' : 'tool_use',
      stop_sequence: null,
      usage: {
        input_tokens: fresh,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: cached,
        output_tokens: written,
      },
    };
  },
  responses: responsesWhole,
  chat: (answer, model) => ({
    id: newId('chatcmpl'),
    created: seconds(),
    model,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: answer.text,
          ...(answer.call === null ? {} : { tool_calls: [chatCall(answer.call)] }),
        },
        finish_reason: answer.call === null ? 'stop' : 'tool_calls',
      },
    ],
    usage: chatUsage(answer),
  }),
  gemini: geminiWhole,
};

type Call = NonNullable<Said['call']>;

function responsesWhole(answer: Said, model: string) {
  const { fresh, cached, written } = answer.tokens;
  const text = { type: 'output_text', text: answer.text, annotations: [] };
  return {
    id: newId('resp'),
    object: 'response',
    created_at: seconds(),
    status: 'completed',
    model,
    output: [
      {
        type: 'message' as const,
        id: newId('msg'),
        role: 'assistant',
        status: 'completed',
        content: [text],
      },
      ...(answer.call === null ? [] : [responsesCall(answer.call)]),
    ],
    usage: {
      input_tokens: fresh + cached,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: written,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: fresh + cached + written,
    },
    error: null,
    incomplete_details: null,
  };
}

function responsesCall({ tool, args }: Call) {
  const ids = { id: newId('fc'), call_id: newId('call'), name: tool.name, status: 'completed' };
  return typeof args === 'string'
    ? { type: 'custom_tool_call' as const, ...ids, input: args }
    : {
        type: 'function_call' as const,
        ...ids,
        ...(tool.group === null ? {} : { namespace: tool.group }),
        arguments: JSON.stringify(args),
      };
}

function chatCall({ tool, args }: Call) {
  const called = { name: tool.name, arguments: JSON.stringify(args) };
  return { id: newId('call'), type: 'function', function: called };
}

function chatUsage({ tokens: { fresh, cached, written } }: Said) {
  return {
    prompt_tokens: fresh + cached,
    completion_tokens: written,
    total_tokens: fresh + cached + written,
    prompt_tokens_details: { cached_tokens: cached },
  };
}

function geminiPart(parts: readonly object[], model: string): object {
  const content = { role: 'model', parts };
  return { candidates: [{ index: 0, content }], modelVersion: model, responseId: newId('r') };
}

function geminiWhole({ text, call, tokens }: Said, model: string): object {
  const { fresh, cached, written } = tokens;
  const called = call === null ? [] : [{ functionCall: { name: call.tool.name, args: call.args } }];
  const content = { role: 'model', parts: [{ text }, ...called] };
  return {
    candidates: [{ index: 0, content, finishReason: 'STOP' }],
    usageMetadata: {
      promptTokenCount: fresh + cached,
      cachedContentTokenCount: cached,
      candidatesTokenCount: written,
      totalTokenCount: fresh + cached + written,
    },
    modelVersion: model,
    responseId: newId('r'),
  };
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
