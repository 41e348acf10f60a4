import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { workerStatusSchema, type WorkerStatusDocument } from '../src/report/status-schema.ts';
import { only, statesOf } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const rework = 'max_rework: 3\n';

function promptOf(scratch: Scratch, worker: string, attempt: number): string {
  const id = only(scratch.log(), 'run.started').run;
  return readFileSync(
    join(scratch.repo, '.czar/runs', id, worker, String(attempt), 'prompt.md'),
    'utf8',
  );
}

async function statusOf(scratch: Scratch, worker: string): Promise<WorkerStatusDocument['worker']> {
  const { stdout } = await scratch.czar('status', worker, '--json');
  return workerStatusSchema.parse(JSON.parse(stdout)).worker;
}

test('a red check goes back to the agent with what it printed, into the same tree, and the work comes home', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `echo ignored > left-from-$CZAR_ATTEMPT.log
case $CZAR_ATTEMPT in 1) echo wrong > sum.txt;; *) ls left-from-1.log && echo 42 > sum.txt;; esac\n`,
    rework,
  );
  scratch.write('.gitignore', '*.log\n');
  scratch.worker('sum', `verify: 'grep -q 42 sum.txt || { echo "sum.txt must say 42"; exit 1; }'`);
  scratch.commitAll();
  const { code, stdout, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stdout);
  assert.deepEqual(statesOf(scratch.log(), 'sum'), [
    'pending',
    'ready',
    'starting',
    'active',
    'verifying',
    'ready',
    'starting',
    'active',
    'verifying',
    'merging',
    'complete',
  ]);
  assert.match(stderr, /sum verifying → ready \(sent back \(1 of 3\): verify failed/);
  const prompt = promptOf(scratch, 'sum', 2);
  assert.match(prompt, /What has to change/);
  assert.match(prompt, /^sum\.txt must say 42$/m);
  assert.doesNotMatch(promptOf(scratch, 'sum', 1), /What has to change/);
  const { integration } = only(scratch.log(), 'run.started').data;
  assert.equal(scratch.git('show', `${integration}:sum.txt`), '42');
  const sent = scratch
    .log()
    .filter((event) => event.type === 'worker.ready')
    .at(-1)?.data;
  assert.equal(sent?.['counts'], 'rework');
  const { reworks } = await statusOf(scratch, 'sum');
  assert.deepEqual(
    reworks.map(({ round, kind, attempt }) => ({ round, kind, attempt })),
    [{ round: 1, kind: 'gate', attempt: 1 }],
  );
});

test('a conflict goes back with the tip, the files and both missions; a wrong resolution goes back again', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `case $CZAR_WORKER/$CZAR_ATTEMPT in
first/*) echo 'of the first' > shared.txt; git commit -qam first;;
second/1) while ! grep -q first "$CZAR_DONE"; do :; done
  echo 'of the second' > shared.txt; git commit -qam second;;
second/2) git merge -q refs/czar/integration; git commit -qam 'not resolved'; git log -1 --format=%s;;
second/3) git cat-file -e refs/czar/integration
  printf 'of the first\\nof the second\\n' > shared.txt; git commit -qam resolved;;
esac\n`.replaceAll('"$CZAR_DONE"', join(scratch.repo, '.czar/logs/events.log')),
    rework,
  );
  scratch.write('shared.txt', 'one line\n');
  scratch.worker('first', 'mission: Say what the first says');
  scratch.worker(
    'second',
    'mission: Say what the second says\nverify: \'! grep -rq "<<<" --include=*.txt .\'',
  );
  scratch.commitAll();
  const { code, stdout } = await scratch.czar('run');
  assert.equal(code, 0, stdout);
  const told = promptOf(scratch, 'second', 2);
  assert.match(told, /git merge refs\/czar\/integration/);
  assert.match(told, /`shared\.txt`/);
  assert.match(told, /merged before \(first\): Say what the first says/);
  assert.match(told, /yours \(second\): Say what the second says/);
  const { integration } = only(scratch.log(), 'run.started').data;
  assert.equal(scratch.git('show', `${integration}:shared.txt`), 'of the first\nof the second');
  assert.equal(scratch.log().filter((event) => event.type === 'merge.conflict').length, 1);
  const kinds = (await statusOf(scratch, 'second')).reworks.map(({ kind }) => kind);
  assert.deepEqual(kinds, ['conflict', 'gate']);
});

test('one that cannot mend it is sent back so often, then a person is asked with the history', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('date +%N > x.txt\n', 'max_rework: 1\n');
  scratch.worker('stuck', 'verify: "false"');
  scratch.commitAll();
  const { code, stdout } = await scratch.czar('run');
  assert.equal(code, 5);
  assert.match(stdout, /sent back once before/);
  assert.match((await scratch.czar('inbox')).stdout, /czar retry stuck -m TEXT/);
  const { attempt, reworks } = await statusOf(scratch, 'stuck');
  assert.deepEqual({ attempt, rounds: reworks.length }, { attempt: 2, rounds: 1 });
});
