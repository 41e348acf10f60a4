import assert from 'node:assert/strict';
import test from 'node:test';
import { CoreWorld, planOf } from '../../test/support/core-world.ts';
import { lowDiskNow, lowDiskText } from './low-disk.ts';

test('a disk that is full now is named, whatever the run was told, and with no reserve either', () => {
  const { run } = new CoreWorld(planOf([{ id: 'a' }]));
  const told = { cpu: 1, memory: 1, disk: 1e12, free: 1e9 };
  const textOf = (free: number, diskReserveBytes: number): string | null => {
    const plan = { ...run.plan, policies: { ...run.plan.policies, diskReserveBytes } };
    const low = lowDiskNow({ ...run, plan, machine: told }, { ...told, free });
    return low && lowDiskText(low);
  };
  assert.match(textOf(4096, 10_000_000) ?? '', /^disk: 4 KB free, below the reserve of 10 MB; /);
  assert.match(textOf(4096, 0) ?? '', /^disk: 4 KB free; nothing can be written/);
  assert.equal(textOf(100_000, 0), null);
});
