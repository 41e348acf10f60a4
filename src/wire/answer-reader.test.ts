import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Usage } from '../core/events.ts';
import { answerReader } from './answer-reader.ts';

const events = 'text/event-stream; charset=utf-8';

/** All that is told of an answer that comes in pieces of this size. */
function told(type: string, text: string, size = 7): readonly Usage[] {
  const found: Usage[] = [];
  const reader = answerReader(type, (usage) => void found.push(usage));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) reader?.take(bytes.subarray(at, at + size));
  return found;
}

function sse(...documents: readonly object[]): string {
  return documents.map((one) => `event: e\ndata: ${JSON.stringify(one)}\n\n`).join('');
}

const usage = (input: number, cached: number, output: number): Usage => ({
  input,
  output,
  cached,
  costUsd: 0,
});

test('a stream of Anthropic tells its input at its start and its output at its end', () => {
  const start = { input_tokens: 900, cache_creation_input_tokens: 100, cache_read_input_tokens: 5 };
  const text = sse(
    { type: 'message_start', message: { content: [], usage: { ...start, output_tokens: 1 } } },
    { type: 'content_block_delta', delta: { text: '"usage":{"input_tokens":7}' } },
    { type: 'message_delta', delta: {}, usage: { input_tokens: null, output_tokens: 40 } },
  );
  assert.deepEqual(told(events, text), [usage(1000, 5, 1), usage(1000, 5, 40)]);
});

test('a stream of Responses, of Chat Completions and of Gemini tells its tokens at its end', () => {
  const response = {
    output: [{ usage: { input_tokens: 1 } }],
    usage: { input_tokens: 2600, input_tokens_details: { cached_tokens: 500 }, output_tokens: 81 },
  };
  assert.deepEqual(told(events, sse({ type: 'response.completed', response })), [
    usage(2100, 500, 81),
  ]);
  const prompt = { prompt_tokens: 2600, prompt_tokens_details: { cached_tokens: 500 } };
  const chat = sse({ choices: [], usage: null }, { usage: { ...prompt, completion_tokens: 81 } });
  assert.deepEqual(told(events, `${chat}data: [DONE]\n\n`), [usage(2100, 500, 81)]);
  const gemini = (candidatesTokenCount: number) => ({
    candidates: [{ content: { parts: [{ text: 'usageMetadata' }] } }],
    usageMetadata: { promptTokenCount: 2600, cachedContentTokenCount: 500, candidatesTokenCount },
  });
  assert.deepEqual(told(events, sse(gemini(3), gemini(81)).replaceAll('\n', '\r\n')), [
    usage(2100, 500, 3),
    usage(2100, 500, 81),
  ]);
  const thinking = { promptTokenCount: 2700, candidatesTokenCount: 2, thoughtsTokenCount: 30 };
  const list = [gemini(3), { usageMetadata: thinking }];
  assert.deepEqual(told('application/json', JSON.stringify(list)), [
    usage(2100, 500, 3),
    usage(2200, 500, 32),
  ]);
});

test('what a model says, or hands to a tool, is never taken for figures', () => {
  const figures = { input_tokens: 1, output_tokens: 1 };
  for (const document of [
    { content: [{ input: { usage: figures } }] },
    { content: { usage: figures } },
    { message: [{ usage: figures }] },
    { usage: [figures] },
    { usage: 'none', text: JSON.stringify({ usage: figures }) },
    { a: { message: { usage: figures } } },
  ])
    assert.deepEqual(told('application/json', JSON.stringify(document)), []);
});

test('however an answer is cut into pieces, and whatever stands around its figures, they are found', () => {
  const figures = { input_tokens: 3, output_tokens: 4 };
  fc.assert(
    fc.property(
      fc.object({ key: fc.string().filter((key) => !/usage/i.test(key)) }),
      fc.object({ key: fc.string().filter((key) => !/usage/i.test(key)) }),
      fc.integer({ min: 1, max: 40 }),
      (before, after, size) => {
        const document = { ...before, usage: figures, ...after };
        assert.deepEqual(told('application/json', JSON.stringify(document, null, 2), size), [
          usage(3, 0, 4),
        ]);
        assert.deepEqual(told(events, sse(before, document, after), size), [usage(3, 0, 4)]);
      },
    ),
  );
});

test('figures that cannot be right count for nothing, and an endless one is given up', () => {
  const wrong = { usage: { input_tokens: -5, output_tokens: 1e300, cache_read_input_tokens: 'x' } };
  assert.deepEqual(told('application/json', JSON.stringify(wrong)), [usage(0, 0, 0)]);
  const endless = `{"usage":{"a":"${'x'.repeat(100_000)}"}, "usage":{"output_tokens":2}}`;
  assert.deepEqual(told('application/json', endless, 4096), [usage(0, 0, 2)]);
  assert.equal(
    answerReader('text/html', () => {}),
    null,
  );
  assert.equal(
    answerReader(undefined, () => {}),
    null,
  );
});
