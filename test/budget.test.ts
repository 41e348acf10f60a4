import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budgetDocumentSchema } from '../src/report/verb-schemas.ts';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const used = (tokens: number, cost = 0): string =>
  JSON.stringify({ type: 'usage', input_tokens: tokens, output_tokens: 0, cost_usd: cost });

test('before anything ran the plan files say what may be spent', async () => {
  await using scratch = await Scratch.make();
  scratch.config('budget: {day: {tokens: 1000000}}\n');
  scratch.worker('foundation', 'budget: {tokens: 150000}');
  scratch.worker('other', 'budget: {limit: 5}');
  const told = await scratch.czar('budget', 'foundation');
  assert.equal(told.code, 0, told.stderr);
  assert.match(
    told.stdout,
    /^foundation: estimate 150,000, forecast 225,000, limit 225,000 tokens$/m,
  );
  const document = budgetDocumentSchema.parse(await scratch.json('budget'));
  assert.equal(document.run, null);
  assert.equal(document.day.tokens.limit, 1_000_000);
  assert.deepEqual(
    document.workers.map(({ id, forecast, tokens }) => [id, forecast, tokens.left]),
    [
      ['foundation', 225_000, 225_000],
      ['other', null, 5],
    ],
  );
  const wrong = await scratch.czar('budget', 'fundation');
  assert.equal(wrong.code, 3);
  assert.match(wrong.stderr, /did you mean foundation\?/);
  assert.equal((await scratch.czar('budget', '--run', '20260101-1')).code, 3);
});

test('an agent that reaches its budget is stopped with its work kept, and goes on when its budget is raised', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a', 'budget: {tokens: 800, limit: 1000}');
  scratch.commitAll();
  const running = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  await a.write('half.txt', 'half\n');
  await a.print(`${used(900)}\n`);
  await scratch.happened('budget.warned', 'a');
  await a.print(`${used(200)}\n`);
  await a.gone;
  assert.equal((await running.finished).code, 5);
  const { workers } = await scratch.json('status');
  assert.deepEqual([workers[0].state, workers[0].tokens.used], ['blocked', 1_100]);
  const before = await scratch.json('budget');
  assert.deepEqual(before.workers[0].tokens, { limit: 1_000, used: 1_100, reserved: 0, left: 0 });
  const told = await scratch.czar('budget', 'a');
  assert.match(told.stdout, /^a: estimate 800, forecast 1,200, limit 1,000 tokens$/m);
  assert.equal((await scratch.czar('budget', 'a', '--add', 'much')).code, 2);
  assert.equal((await scratch.czar('budget', 'run', '--add', '5')).code, 4);
  assert.equal((await scratch.czar('unblock', 'a')).code, 4);
  assert.equal((await scratch.czar('budget', 'a', '--add', '5_000')).code, 0);
  const again = scratch.start('run');
  const second = await scratch.stubs.agent('a', 2);
  assert.equal(second.cwd, a.cwd);
  second.exit();
  assert.equal((await again.finished).code, 0);
  assert.equal(only(scratch.log(), 'budget.exceeded').data.scope, 'worker');
});

test('who failed for want of budget is told to have more before it is tried again', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(`echo '${used(900)}'; sleep 1000\n`);
  scratch.worker('a', 'budget: {limit: 500, on_exceeded: fail}');
  scratch.commitAll();
  const { code, stdout } = await scratch.czar('run');
  assert.equal(code, 1);
  assert.match(stdout, /^ +next: czar budget a --add TOKENS, then czar retry a$/m);
  assert.equal((await scratch.czar('budget', 'a', '--add', '1000')).code, 0);
  assert.match((await scratch.czar('why', 'a')).stdout, /^next: czar retry a$/m);
});

test('under a budget of the run every worker needs a limit, and starts only while that is there; prices are counted', async () => {
  await using scratch = await Scratch.make();
  const config = (more: string): void =>
    scratch.scripted(
      `echo '${used(1_000_000)}'; echo x > "$CZAR_WORKER.txt"\n`,
      `budget: {run: {cost_usd: 5}${more}}\nprices: {script: {input: 3, output: 15}}\nmax_parallel: 1\n`,
    );
  config('');
  for (const id of ['a', 'b']) scratch.worker(id);
  scratch.commitAll();
  const refused = await scratch.czar('validate');
  assert.equal(refused.code, 2);
  assert.match(refused.stdout + refused.stderr, /workers\/a\.md:.*needs a limit of cost_usd/s);
  config(', default: {cost_usd: 3.5}');
  scratch.commitAll('limits');
  assert.equal((await scratch.czar('run')).code, 5);
  const { run, workers } = await scratch.json('status');
  assert.equal(run.state, 'waiting');
  assert.deepEqual(
    workers.map((one: any) => [one.state, one.waiting_for, one.cost_usd]),
    [
      ['complete', null, 3],
      ['ready', 'budget', 0],
    ],
  );
  assert.match(
    (await scratch.czar('why', 'b')).stdout,
    /the run has 2\.00 USD left, it needs 3\.50 \(czar budget run --add-usd 1\.50\)/,
  );
  assert.equal((await scratch.czar('budget', 'run', '--add-usd', '1.50')).code, 0);
  assert.equal((await scratch.czar('run')).code, 0);
  assert.equal(all(scratch.log(), 'worker.complete').length, 2);
});

test('once a run has ended, the limit of the day is what the files say of today', async () => {
  await using scratch = await Scratch.make();
  const limited = (tokens: number): void =>
    scratch.scripted(
      `echo '${used(1_000)}'; echo x > "$CZAR_WORKER.txt"\n`,
      `budget: {day: {tokens: ${tokens}}, default: {limit: 2000}}\n`,
    );
  limited(5_000);
  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  limited(9_000);
  const { day } = await scratch.json('budget');
  assert.deepEqual(day.tokens, { limit: 9_000, used: 1_000, reserved: 0, left: 8_000 });
  scratch.write('.czar/config.yaml', 'budget: nonsense\n');
  assert.equal((await scratch.json('budget')).day.tokens.limit, 5_000);
});

test('tokens that no agent told of are not 0 in the table of the budgets', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `[ "$CZAR_WORKER" = quiet ] || echo '${used(50)}'; echo x > "$CZAR_WORKER.txt"\n`,
  );
  scratch.worker('quiet');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  const silent = (await scratch.czar('budget')).stdout;
  assert.match(silent, /^run \S+ +not reported$/m);
  assert.match(silent, /^day +not reported$/m);
  scratch.worker('loud', 'dependencies: [quiet]');
  assert.equal((await scratch.czar('run', '--new')).code, 0);
  const told = (await scratch.czar('budget')).stdout;
  assert.match(told, /^run \S+ +50$/m);
  assert.match(told, /^quiet +not reported$/m);
  assert.match(told, /^loud +50$/m);
});
