/** An agent that is silent for too long: shown, never ended, unless that was asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

/** The inbox, as soon as the entry of the worker is there. */
async function stalled(scratch: Scratch, worker: string): Promise<any> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { inbox } = await scratch.json('inbox');
    const found = inbox.find((entry: any) => entry.worker === worker);
    if (found !== undefined) return found;
  }
  throw new Error('nothing has stalled');
}

test('a silent agent is in the inbox and in status, and works on; one that prints, reports or commits is not', async () => {
  await using scratch = await Scratch.make();
  scratch.config('stall_after: 1s\n');
  scratch.worker('quiet');
  scratch.worker('patient', 'stall_after: 1h');
  scratch.commitAll();
  const run = scratch.start('run');
  const quiet = await scratch.stubs.agent('quiet');
  const patient = await scratch.stubs.agent('patient');
  const entry = await stalled(scratch, 'quiet');
  assert.equal(entry.kind, 'stalled');
  assert.match(entry.text, /nothing printed, reported or committed for/);
  assert.ok(entry.age_ms >= 1_000);
  assert.deepEqual(entry.commands, ['czar logs quiet', 'czar attach quiet', 'czar cancel quiet']);
  const { workers } = await scratch.json('status');
  const reasons = Object.fromEntries(workers.map((one: any) => [one.id, one.reason]));
  assert.match(reasons.quiet, /^stalled: nothing printed/);
  assert.equal(reasons.patient, 'its program runs');
  assert.match((await scratch.czar('status', 'quiet')).stdout, /stalled: nothing printed/);

  const since = async (): Promise<number> => Date.parse((await stalled(scratch, 'quiet')).since);
  let before = Date.parse(entry.since);
  for (const sign of [
    async () => quiet.print('still here\n'),
    async () => quiet.run('czar', 'emit', 'checkpoint', 'half'),
    async () => {
      await quiet.write('quiet.txt', 'x\n');
      await quiet.commit('half');
    },
  ]) {
    await sign();
    const after = await since();
    assert.ok(after > before, `${after} is not after ${before}`);
    before = after;
  }
  quiet.exit();
  patient.exit();
  assert.equal((await run.finished).code, 0);
  assert.deepEqual(all(scratch.log(), 'worker.stop_requested'), []);
  assert.deepEqual(scratch.stubs.launches.toSorted(), ['patient/1', 'quiet/1']);
});

test('fault 27: with on_stall: restart an agent that stands still is ended, and the next attempt knows why', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    'case $CZAR_ATTEMPT in 1) kill -STOP $$;; *) cp "$CZAR_PROMPT_FILE" prompt.txt;; esac\n',
    'retry: {initial: 0s}\n',
  );
  scratch.worker('a', 'stall_after: 300ms\non_stall: restart');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  const log = scratch.log();
  const { to, by, reason } = only(log, 'worker.stop_requested', 'a').data;
  assert.deepEqual([to, by], ['retry', 'policy']);
  assert.match(reason, /^stalled: .* for 0\.3 s$/);
  assert.equal(only(log, 'worker.error', 'a').data.error, reason);
  assert.equal(all(log, 'worker.started', 'a').length, 2);
  const { integration } = only(log, 'run.started').data;
  assert.match(scratch.git('show', `${integration}:prompt.txt`), /stalled: nothing printed/);
});
