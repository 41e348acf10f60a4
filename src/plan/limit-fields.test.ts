import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultProcesses } from '../core/attempt-limits.ts';
import { attemptLimits, limitsField, limitsSchema, noLimits } from './limit-fields.ts';

test('limits of a worker go over those of the config, one by one, and none takes one away', () => {
  const config = attemptLimits({ processes: 500, memory: '4GB' }, noLimits);
  assert.deepEqual(config, { processes: 500, memoryBytes: 4e9 });
  assert.deepEqual(attemptLimits({}, config), config);
  assert.deepEqual(attemptLimits({ processes: 'none' }, config), {
    processes: null,
    memoryBytes: 4e9,
  });
  assert.deepEqual(attemptLimits({ memory: '16MB' }, config), {
    processes: 500,
    memoryBytes: 16e6,
  });
  assert.deepEqual(limitsField(config), { limits: config });
  assert.deepEqual(limitsField({ processes: defaultProcesses, memoryBytes: null }), {});
});

test('limits that nothing could run in, and other keys, are refused', () => {
  for (const wrong of [
    { processes: 0 },
    { processes: 1.5 },
    { processes: 'many' },
    { memory: '15MB' },
    { memory: 4 },
    { cpu: 1 },
  ])
    assert.ok(!limitsSchema.safeParse(wrong).success, JSON.stringify(wrong));
  assert.ok(limitsSchema.safeParse({ processes: 1, memory: 'none' }).success);
});
