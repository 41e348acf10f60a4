import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event, NewEvent } from '../core/events.ts';
import { eventDocument } from './event-document.ts';
import { renderEvent } from './event-line.ts';

const at = Date.UTC(2025, 11, 26, 14, 32, 0, 125);
const entered = { from: 'active', reason: 'r' } as const;

const classic: readonly (readonly [NewEvent, string])[] = [
  [
    {
      type: 'worker.started',
      data: { from: 'ready', reason: 'r', attempt: 1, continues: false, claims: false },
    },
    'WORKER_START attempt=1',
  ],
  [
    { type: 'worker.task_started', data: { task: 'GIT_WORKFLOW.md' } },
    'TASK_START task=GIT_WORKFLOW.md',
  ],
  [
    { type: 'worker.checkpoint', data: { name: 'agent_roles_complete' } },
    'CHECKPOINT name=agent_roles_complete',
  ],
  [
    { type: 'worker.task_completed', data: { task: 'Task 1.1: x' } },
    'TASK_COMPLETE task="Task 1.1: x"',
  ],
  [
    {
      type: 'worker.blocked',
      data: {
        ...entered,
        block: {
          kind: 'question',
          step: 'attempt',
          text: 'waiting_for_foundation',
          findings: [],
          files: [],
        },
        blockedBy: null,
      },
    },
    'BLOCKED reason=waiting_for_foundation',
  ],
  [
    { type: 'worker.error', data: { error: 'exit 1', exit: 1, final: false } },
    'ERROR error="exit 1" exit=1',
  ],
  [
    { type: 'worker.complete', data: { ...entered, noChange: false } },
    'WORKER_COMPLETE tokens=1150000',
  ],
];

for (const [event, expected] of classic) {
  test(`${event.type} is a classic line`, () => {
    const line = `2025-12-26T14:32:00Z foundation ${expected}`;
    assert.equal(renderEvent(of(event), { format: 'classic', tokens: () => 1_150_000 }), line);
    assert.equal(renderEvent(of(event), { format: 'line', tokens: () => 1_150_000 }), line);
  });
}

test('an event without a classic name is a line, and is left out of the classic log', () => {
  const event = of({ type: 'worker.merging', data: { ...entered, reason: 'its gates passed' } });
  const tokens = (): null => null;
  assert.equal(
    renderEvent(event, { format: 'line', tokens }),
    '2025-12-26T14:32:00Z foundation WORKER_MERGING reason="its gates passed"',
  );
  assert.equal(renderEvent(event, { format: 'classic', tokens }), null);
});

test('whatever an agent says stays on one line and in its quotes', () => {
  for (const text of [
    'a\nb',
    'a "quoted" \\ word',
    '\u001b[2J',
    '\u009b1m',
    '\u202egnp',
    '',
    'x=1 y=2',
    '\u2028',
  ]) {
    const event = of({ type: 'worker.checkpoint', data: { name: text } });
    const line = renderEvent(event, { format: 'line', tokens: () => null }) ?? '';
    assert.match(line, /^\S+ foundation CHECKPOINT name="[ -~]*"$/);
    assert.equal(JSON.parse(line.slice(line.indexOf('name=') + 5)), text);
  }
});

test('a line of the log tells time, worker and type in a form that can be matched', () => {
  for (const [event] of classic) {
    const line = renderEvent(of(event), { format: 'line', tokens: () => null }) ?? '';
    assert.match(
      line,
      /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z foundation [A-Z_]+( [a-z_]+=("([^"\\]|\\.)*"|\S+))*$/,
    );
  }
});

test('an event of a run names the run where a worker would stand', () => {
  const event: Event = { type: 'run.complete', run: '20251226-1', data: {}, seq: 1, at };
  assert.equal(
    renderEvent(event, { format: 'line', tokens: () => null }),
    '2025-12-26T14:32:00Z - RUN_COMPLETE run=20251226-1',
  );
});

test('the document of an event has its envelope and leaves out what does not apply', () => {
  const event = of({ type: 'worker.checkpoint', attempt: 2, data: { name: 'n' } });
  assert.deepEqual(eventDocument(event), {
    v: 1,
    seq: 7,
    ts: '2025-12-26T14:32:00.125Z',
    run: '20251226-1',
    worker: 'foundation',
    attempt: 2,
    type: 'worker.checkpoint',
    data: { name: 'n' },
  });
  const bare: Event = { type: 'loop.ended', data: { reason: 'closed' }, seq: 8, at };
  assert.deepEqual(Object.keys(eventDocument(bare)), ['v', 'seq', 'ts', 'type', 'data']);
  const line = renderEvent(event, { format: 'json', tokens: () => null }) ?? '';
  assert.deepEqual(JSON.parse(line), eventDocument(event));
});

function of(event: NewEvent): Event {
  return { ...event, run: '20251226-1', worker: 'foundation', seq: 7, at };
}
