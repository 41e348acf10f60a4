import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactOutcome } from './redactions.ts';

test('what an agent wants to do is told without secrets, exact otherwise', () => {
  const redact = (text: string): string => text.replaceAll('hush', '[KEY]');
  const request = { kind: 'command', title: 'Call hush', command: "curl -H 'x: hush' y" } as const;
  const outcome = redactOutcome(
    {
      kind: 'reports',
      run: 'r',
      worker: 'hush',
      attempt: 1,
      reports: [{ kind: 'permission', id: 'p1', request }],
      refused: [],
      reportOffset: 1,
      outputOffset: 0,
    },
    redact,
  );
  assert.deepEqual(outcome.kind === 'reports' ? outcome.reports : null, [
    {
      kind: 'permission',
      id: 'p1',
      request: { kind: 'command', title: 'Call [KEY]', command: "curl -H 'x: [KEY]' y" },
    },
  ]);
});
