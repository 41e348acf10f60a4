import assert from 'node:assert/strict';
import { test } from 'node:test';
import { weeklyPage } from './report-pages.ts';
import type { WeeklyDocument } from './standup-schema.ts';

const metrics = {
  tokens: 7404,
  budget: 4800,
  budgeted_tokens: 3702,
  tokens_percent: 77.1,
  cost_usd: 0,
  workers: 6,
  workers_complete: 5,
  workers_percent: 83.3,
};

/** What the page of a week with these figures says of tokens. */
function tokensOf(changed: Partial<typeof metrics>): string {
  const document: WeeklyDocument = {
    v: 1,
    week: '2026-11-30',
    at: '2026-11-30T08:00:00.000Z',
    runs: ['20261130-1'],
    completed: [],
    active: [],
    starting_next: [],
    metrics: { ...metrics, ...changed },
    risks: [],
    blockers: [],
    next: [],
  };
  return JSON.stringify(weeklyPage(document));
}

test('what workers without a budget used is no part of the share of the budget that is shown', () => {
  assert.match(tokensOf({}), /"7,404, of which 3,702 \/ 4,800 budget \(77%\)"/);
  assert.match(tokensOf({ tokens: 3702 }), /"3,702 \/ 4,800 budget \(77%\)"/);
});
