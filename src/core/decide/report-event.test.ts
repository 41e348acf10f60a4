import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Report, Usage } from '../events.ts';
import { nobodyAsks, reportEvents } from './report-event.ts';
import { noUsage, sum } from '../usage.ts';

const price = { input: 1, output: 2, cached: 0 };

function usage(input: number, costUsd = 0): Usage {
  return { input, output: 0, cached: 0, costUsd };
}

/** What all reports together come to, read one page after the other as the loop does. */
function counted(pages: readonly (readonly Report[])[], of: typeof price | null = null) {
  let used = noUsage;
  let metered = false;
  for (const page of pages)
    for (const event of reportEvents(page, {
      agent: 'it',
      price: of,
      used,
      metered,
      ...nobodyAsks,
    }))
      if (event.type === 'worker.usage') {
        used = sum(used, event.data);
        metered ||= event.data.source === 'metered';
      }
  return { used, metered };
}

const told = (input: number, costUsd = 0): Report => ({
  kind: 'usage',
  usage: usage(input, costUsd),
});
const wire = (input: number): Report => ({
  kind: 'usage',
  usage: usage(input),
  total: true,
  metered: true,
});

test('what was counted on the way and what the agent tells of it are never added up, in whatever order they are read', () => {
  const steps = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(steps, fc.array(fc.boolean()), (tokens, early) => {
      let total = 0;
      const pages = tokens.flatMap((one, at) => {
        const both = [[wire((total += one))], [told(one)]];
        return early[at] === true ? both.toReversed() : both;
      });
      assert.deepEqual(counted(pages), { used: usage(total), metered: true });
      assert.deepEqual(counted([pages.flat()]), { used: usage(total), metered: true });
    }),
  );
});

test('money is what a price makes of counted tokens, else what the agent tells, as a sum or at its end', () => {
  const pages = [[wire(1_000_000)], [told(5, 7)], [wire(2_000_000)]];
  assert.equal(counted(pages, price).used.costUsd, 2);
  assert.equal(counted(pages).used.costUsd, 7);
  const end: Report = { kind: 'usage', usage: usage(9, 7.5), total: true };
  assert.equal(counted([...pages, [end]]).used.costUsd, 7.5);
  assert.equal(counted([...pages, [end]]).used.input, 2_000_000);
});

test('an agent of whose tokens none was counted counts as it reports', () => {
  assert.deepEqual(counted([[told(5, 1)], [told(6, 1)]]), { used: usage(11, 2), metered: false });
});

test('usage names the model that the agent tells, else the one that it was started with', () => {
  const modelsOf = (reports: readonly Report[], model: string | null): readonly unknown[] =>
    reportEvents(reports, { agent: 'a', price: null, used: noUsage, model, ...nobodyAsks }).map(
      (event) => (event.type === 'worker.usage' ? event.data.model : null),
    );
  const named: Report = { kind: 'usage', usage: usage(1), model: 'told' };
  const unnamed: Report = { kind: 'usage', usage: usage(1) };
  assert.deepEqual(modelsOf([named, unnamed], 'asked'), ['told', 'asked']);
  assert.deepEqual(modelsOf([unnamed], null), [undefined]);
});
