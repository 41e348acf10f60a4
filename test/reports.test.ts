import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';
import { bothWays } from './support/through.ts';

const hard =
  'say "hi" to \\n & \'co\'\n\ttab \u0007 \u001b[31mred\u001b[0m \u2028 äöü 🙂 $(date) `x`';

bothWays(
  'a question ends the run with 5; the answer stands in the next prompt, and the work goes on in the same tree',
  async (through) => {
    await using scratch = await Scratch.make({ through });
    scratch.config();
    scratch.worker('asker');
    scratch.worker('next', 'dependencies: [asker]');
    scratch.commitAll();
    const first = scratch.start('run');
    const agent = await scratch.stubs.agent('asker');
    await agent.write('half.txt', 'half\n');
    const emitted = await agent.run('czar', 'emit', 'ask', `Which one?\n${hard}`);
    assert.equal(emitted.code, 0, emitted.stderr);
    agent.exit(3);
    const { code, stdout } = await first.finished;
    assert.equal(code, 5);
    assert.match(stdout, /czar answer asker/);
    const { run, workers } = await scratch.json('status');
    assert.equal(run.state, 'waiting');
    assert.deepEqual(
      workers.map((worker: any) => worker.state),
      ['blocked', 'pending'],
    );
    assert.match((await scratch.czar('why', 'asker')).stdout, /Which one\?/);
    assert.equal(only(scratch.log(), 'worker.asked').data.text, `Which one?\n${hard}`);
    assert.equal((await scratch.czar('run')).code, 5, 'it still waits');

    assert.equal((await scratch.czar('answer', 'next', 'no')).code, 4);
    const answered = await scratch.czar('answer', 'asker', 'The second, "of course".');
    assert.equal(answered.code, 0, answered.stderr);
    const second = scratch.start('run');
    const again = await scratch.stubs.agent('asker', 2);
    assert.equal(again.cwd, agent.cwd);
    assert.match(await readFile(again.promptFile, 'utf8'), /The second, "of course"\./);
    assert.equal((await again.run('cat', 'half.txt')).stdout, 'half\n');
    again.exit();
    (await scratch.stubs.agent('next')).exit();
    assert.equal((await second.finished).code, 0);
    assert.deepEqual(all(scratch.log(), 'worker.error'), []);
  },
);

test('a reported blocker blocks although the agent exits with 0, and unblock sends it back with the note', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('stuck');
  scratch.commitAll();
  const run = scratch.start('run');
  const agent = await scratch.stubs.agent('stuck');
  await agent.run('czar', 'emit', 'blocked', 'the registry is down');
  agent.exit(0);
  assert.equal((await run.finished).code, 5);
  assert.match((await scratch.czar('why', 'stuck')).stdout, /the registry is down/);
  assert.equal((await scratch.czar('unblock', 'stuck', '-m', 'it is up again')).code, 0);
  const second = scratch.start('run');
  const again = await scratch.stubs.agent('stuck', 2);
  assert.match(await readFile(again.promptFile, 'utf8'), /it is up again/);
  again.exit();
  assert.equal((await second.finished).code, 0);
});

test('what an agent reports is counted once, word for word; absurd usage is refused', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a', 'tasks: [one, two]');
  scratch.commitAll();
  const run = scratch.start('run');
  const agent = await scratch.stubs.agent('a');
  const czar = async (...argv: string[]): Promise<number> =>
    (await agent.run('czar', 'emit', ...argv)).code;
  assert.equal(await czar('task-start', 'one'), 0);
  assert.equal(await czar('task-complete', 'one'), 0);
  assert.equal(await czar('checkpoint', hard), 0);
  assert.equal(await czar('handoff', '--', hard), 0);
  assert.equal(await czar('usage', '--input-tokens', '100', '--output-tokens', '20'), 0);
  for (const bad of ['-5', 'Infinity', 'NaN', '1e400', 'many', '99999999999999999999'])
    assert.equal(await czar('usage', '--input-tokens', bad), 2, bad);
  assert.equal(await czar('ask', '--wait', '10 minutes', 'what?'), 2);
  assert.equal(await czar('ask', '--wait', '10ms', 'what?'), 5);
  assert.equal(await czar('dance', 'now'), 2);
  const functions = `. "$CZAR_SHELL"; czarina_log_task_start "two"; czarina_log_checkpoint "it's \\"half\\" way"; czarina_log_task_complete "two"; czarina_log_worker_complete`;
  assert.equal((await agent.run('sh', '-c', functions)).code, 0);
  await agent.print('{"type":"usage","input_tokens":7,"output_tokens":3,"cost_usd":0.25}\n');
  await agent.print('{"type":"usage","input_tokens":-7}\n{"type":"usage","cost_usd":"a lot"}\n');
  await agent.print('{"type":"other"}\nplain text\n');
  agent.exit();
  assert.equal((await run.finished).code, 0);

  const log = scratch.log();
  const texts = all(log, 'worker.checkpoint').map(({ data }) => data.name);
  assert.deepEqual(texts.slice(0, 2), [hard, 'it\'s "half" way']);
  assert.equal(only(log, 'worker.handoff').data.text, hard);
  assert.deepEqual(
    all(log, 'worker.task_completed').map(({ data }) => data.task),
    ['one', 'two'],
  );
  assert.equal(all(log, 'worker.report_refused').length, 2);
  const { workers, tokens, cost_usd } = await scratch.json('status');
  assert.equal(workers[0].tokens.used, 130);
  assert.deepEqual(workers[0].tasks, { completed: 2, total: 2 });
  assert.equal(workers[0].cost_usd, 0.25);
  assert.equal(typeof tokens === 'number' ? tokens : tokens.used, 130);
  assert.equal(cost_usd, 0.25);
  const line = (await scratch.czar('events')).stdout.split('\n');
  assert.ok(line.some((one) => /WORKER_COMPLETE tokens=130/.test(one)));
  assert.ok(!line.some((one) => one.includes('\u001b') || one.includes('\u0007')));

  const outside = await scratch.czar('emit', 'checkpoint', 'x');
  assert.equal(outside.code, 4);
});
