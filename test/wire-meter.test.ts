/** Attempts whose tokens are counted on the way to a scripted model. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startModel, type ModelServer } from './live/model/server.ts';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

/** Asks a model, says that it used much more, and asks again as soon as it is told to, or at once. */
const asker = `import { existsSync, writeFileSync } from 'node:fs';
const { ANTHROPIC_BASE_URL: base, ANTHROPIC_API_KEY: key, CZAR_WORKER: worker } = process.env;
const [rounds, waits] = process.argv.slice(2);
console.log(JSON.stringify({ base, key }));
for (let n = 1; n <= Number(rounds); n += 1) {
  const answer = await fetch(base + '/v1/messages', {
    method: 'POST',
    headers: { 'x-api-key': key },
    body: JSON.stringify({
      stream: n % 2 === 0,
      messages: [{ role: 'user', content: '[[model: recall]]' }],
      tools: [{ name: 'Bash', input_schema: { type: 'object' } }],
    }),
  });
  await answer.text();
  console.log(JSON.stringify({ type: 'usage', input_tokens: 90_000, cost_usd: 7 }));
  while (waits === 'waits' && n === 1 && !existsSync(process.env.HOME + '/go'))
    await new Promise((resolve) => setTimeout(resolve, 20));
}
writeFileSync(worker + '.txt', 'made\\n');
`;

function configure(scratch: Scratch, model: ModelServer, words: readonly string[], yaml: string) {
  scratch.write('.czar/asker.mjs', asker);
  const command = ['node', join(scratch.repo, '.czar/asker.mjs'), ...words];
  const env = 'env: [ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY]';
  scratch.write(
    '.czar/config.yaml',
    `meter: true\nagents:\n  default: asker\n  define:\n` +
      `    asker: {command: ${JSON.stringify(command)}, ${env}}\n` +
      `    plain: {command: ${JSON.stringify(command)}, ${env}, meter: false}\n${yaml}`,
  );
  Object.assign(scratch.env, { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'sk-a-real-key' });
}

test('fault 24: tokens are counted on their way while no loop lives, and what the agent says of them is not', async () => {
  await using model = await startModel();
  await using scratch = await Scratch.make();
  configure(scratch, model, ['2', 'waits'], 'prices: {asker: {input: 1000, output: 1000}}\n');
  scratch.worker('a');
  scratch.commitAll();
  const running = scratch.start('run');
  const { data } = await scratch.happened('worker.usage', 'a');
  assert.deepEqual(data, { input: 1000, output: 40, cached: 0, costUsd: 1.04, source: 'metered' });
  scratch.killLoop(running);
  await running.finished;
  writeFileSync(join(scratch.base, 'home/go'), '');
  const { run } = only(scratch.log(), 'run.started');
  const attempt = join(scratch.repo, '.czar/runs', run, 'a/1');
  const [first = ''] = (await scratch.appears(join(attempt, 'output'))).split('\n');
  const { base, key } = JSON.parse(first);
  assert.match(base, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{30,}\/0$/);
  assert.equal(key, 'sk-a-real-key');
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.equal(model.asked.length, 2);
  const { workers } = await scratch.json('status');
  assert.deepEqual([workers[0].tokens.used, workers[0].tokens.source], [2_080, 'metered']);
  assert.equal(workers[0].cost_usd, 2.08);
  // It is gone with the attempt, and its secret was in no file and no argument.
  await assert.rejects(fetch(base));
  const token = new URL(base).pathname.split('/')[1] ?? '';
  for (const file of ['start', 'report', 'errors'])
    assert.ok(!readFileSync(join(attempt, file), 'utf8').includes(token), file);
  assert.equal(readFileSync(join(attempt, 'errors'), 'utf8'), '');
});

test('a metered agent is stopped by its budget in the middle of its turn; beside it one that is not metered counts as it reports', async () => {
  await using model = await startModel();
  await using scratch = await Scratch.make();
  configure(scratch, model, ['200', 'goes-on'], '');
  scratch.worker('a', 'budget: {limit: 5000}');
  scratch.commitAll();
  const running = scratch.start('run');
  const { data } = await scratch.happened('worker.usage', 'a');
  assert.equal(data.source, 'metered');
  const processes = execFileSync('ps', ['-A', '-o', 'args'], { encoding: 'utf8' });
  assert.doesNotMatch(processes, /127\.0\.0\.1:\d+\/[\w-]{30,}/);
  assert.equal((await running.finished).code, 5);
  const { workers } = await scratch.json('status');
  assert.equal(workers[0].state, 'blocked');
  assert.ok(workers[0].tokens.used >= 5_000 && workers[0].tokens.used < 90_000);
  assert.ok(model.asked.length < 200);
  configure(scratch, model, ['1', 'goes-on'], '');
  scratch.worker('b', 'agent: plain');
  scratch.git('rm', '-q', '.czar/workers/a.md');
  scratch.commitAll('other');
  assert.equal((await scratch.czar('cancel', '--yes')).code, 0);
  assert.equal((await scratch.czar('run')).code, 0);
  const told = all(scratch.log(), 'worker.usage', 'b').map((event) => event.data);
  assert.deepEqual(told, [{ input: 90_000, output: 0, cached: 0, costUsd: 7, source: 'reported' }]);
});
