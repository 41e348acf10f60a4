/** What agents tell of their usage, in the shapes that they tell it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UsageKind } from '../agents/acp-profiles.ts';
import { figures, type Figures } from './figures.ts';

function told(
  kind: UsageKind,
  say: (to: Figures) => void,
  { isNew = true, costBefore = 0 } = {},
): readonly (readonly unknown[])[] {
  const lines: (readonly unknown[])[] = [];
  const noteCost = (): void => {};
  const to = figures({ kind, isNew, costBefore, noteCost }, (line) => {
    lines.push([line['input'], line['output'], line['cached'], line['cost_usd']]);
    return true;
  });
  say(to);
  return lines;
}

const usage = { inputTokens: 1100, outputTokens: 41, cachedReadTokens: 500, totalTokens: 1641 };

test('the figures of a turn are taken as they are', () => {
  assert.deepEqual(
    told('sum', (to) => to.end({ usage })),
    [[1100, 41, 500, 0]],
  );
  const meta = { quota: { token_count: { input_tokens: 2600, output_tokens: 81 } } };
  assert.deepEqual(
    told('meta', (to) => to.end({ _meta: meta })),
    [[2600, 81, 0, 0]],
  );
  assert.deepEqual(
    told('any', (to) => to.end({ usage })),
    [[1100, 41, 500, 0]],
  );
  assert.deepEqual(
    told('any', (to) => to.end({ _meta: meta })),
    [[2600, 81, 0, 0]],
  );
});

test('what was thought counts once, whether it is told in or beside what was written', () => {
  const beside = { ...usage, thoughtTokens: 100, totalTokens: 1741 };
  assert.deepEqual(
    told('sum', (to) => to.end({ usage: beside })),
    [[1100, 141, 500, 0]],
  );
  const within = { ...usage, thoughtTokens: 30 };
  assert.deepEqual(
    told('sum', (to) => to.end({ usage: within })),
    [[1100, 41, 500, 0]],
  );
});

test('steps are added up as they come, without what was cached', () => {
  const step = (inputTokens: number, outputTokens: number, cachedReadTokens: number) => ({
    _meta: { usage: { inputTokens, outputTokens, cachedReadTokens } },
  });
  const lines = told('steps', (to) => {
    to.chunk(step(1000, 40, 0));
    to.chunk({});
    to.chunk(step(1600, 41, 500));
    to.end({});
  });
  assert.deepEqual(lines, [
    [1000, 40, 0, 0],
    [2100, 81, 500, 0],
  ]);
});

test('of a last step alone everything in a new context was paid once; in one that goes on only what is new', () => {
  assert.deepEqual(
    told('last step', (to) => to.end({ usage })),
    [[1600, 41, 0, 0]],
  );
  assert.deepEqual(
    told('last step', (to) => to.end({ usage }), { isNew: false }),
    [[1100, 41, 500, 0]],
  );
});

test('in the middle of a turn it is what the context has grown by, never less than before', () => {
  const lines = told('sum', (to) => {
    for (const used of [1000, 1040, 1600, 200, 1500]) to.context({ used });
    to.end({ usage });
  });
  assert.deepEqual(lines, [
    [40, 0, 0, 0],
    [600, 0, 0, 0],
    [1100, 41, 500, 0],
  ]);
});

test('the cost of a session that goes on is without what it had cost before', () => {
  const cost = { amount: 0.75, currency: 'USD' };
  const say = (to: Figures): void => to.context({ used: 10, cost });
  assert.deepEqual(told('sum', say, { isNew: false, costBefore: 0.5 }), [[0, 0, 0, 0.25]]);
  assert.deepEqual(
    told('sum', (to) => to.context({ used: 1, cost: { amount: 7, currency: 'EUR' } })),
    [],
  );
});

test('figures that cannot be right are none', () => {
  assert.deepEqual(
    told('any', (to) => {
      to.end({ usage: { inputTokens: '7' } });
      to.end({ usage: { inputTokens: -1 } });
      to.end({ usage: null, _meta: 7 });
      to.chunk({ _meta: { usage: { inputTokens: 1e300 } } });
      to.context({ used: 'much', cost: { amount: -1, currency: 'USD' } });
    }),
    [],
  );
});
