import assert from 'node:assert/strict';
import test from 'node:test';
import { goldenLogs } from '../../test/support/golden.ts';
import { emptyState, evolve } from '../core/evolve.ts';
import { plannedWorker } from '../core/evolve/planned-workers.ts';
import { decodeEvent } from './codec.ts';
import { workerOf, workerText } from './worker-row.ts';

test('a row tells what a worker is, after each event of every golden log', () => {
  for (const { name, rows } of goldenLogs()) {
    const state = emptyState();
    for (const row of rows) {
      evolve(state, decodeEvent(row));
      const worker = state.runs.get(row.run ?? '')?.workers.get(row.worker ?? '');
      if (worker === undefined) continue;
      assert.deepEqual(workerOf(workerText(worker)), worker, `${name}, event ${row.seq}`);
    }
  }
});

test('a row of a worker that waits says who it is and since when, and what workers have in common they share', () => {
  const [one, other] = ['a', 'b'].map((id) => plannedWorker({ id, tasks: [] }, 7));
  assert.ok(one !== undefined && other !== undefined);
  assert.equal(workerText(one), '{"id":"a","since":7}');
  const read = [one, other].map((worker) => workerOf(workerText(worker)));
  assert.deepEqual(read, [one, other]);
  assert.equal(read[0]?.notes, read[1]?.notes);
});
