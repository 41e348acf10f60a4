/** What an agent that prints JSON said, as a person reads it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { recordedAgent, recordedStream } from './support/recorded-agent.ts';
import { Scratch } from './support/scratch.ts';

const commits = 'echo a > f.txt; git add f.txt; git commit -q -m Adds; echo oops >&2';

for (const [agent, stream, said] of [
  ['claude', 'claude-2.1.330/commit', /^Step 0 of commit\.\n▸ Bash: printf .*\n {2}c3fae4a\n/],
  ['codex', 'codex-0.169.0/commit', /^Step 0 of commit\.\n▸ shell: .*printf .*\n {2}c4d9dea\n/],
] as const) {
  test(`logs of ${agent} shows what it said and did; --raw and --json give its lines as they came`, async () => {
    await using scratch = await Scratch.make();
    recordedAgent(scratch, agent, `recorded ${stream}; ${commits}`);
    scratch.worker('a', `agent: ${agent}`);
    scratch.commitAll();
    const run = await scratch.czar('run');
    assert.equal(run.code, 0, run.stderr);
    const shown = await scratch.czar('logs', 'a');
    assert.match(shown.stdout, said);
    assert.doesNotMatch(shown.stdout, /"type"/);
    assert.match(shown.stdout, /\noops\n$/);
    assert.match(shown.stdout, /^\(used: 2,100 tokens in, 81 out, 500 cached.*\)$/m);
    const lines = readFileSync(recordedStream(stream), 'utf8');
    const raw = await scratch.czar('logs', 'a', '--raw');
    assert.equal(raw.stdout, `${lines}oops\n`);
    const json = (await scratch.czar('logs', 'a', '--json')).stdout.trim().split('\n');
    const output = json.map((line) => JSON.parse(line)).filter((one) => one.stream === 'output');
    assert.deepEqual(
      output.map(({ text }) => text),
      lines.trim().split('\n'),
    );
    const followed = await scratch.czar('logs', 'a', '-f');
    assert.equal(followed.stdout, shown.stdout);
  });
}

test('logs -f of an agent that works shows each thing when it is said', async () => {
  await using scratch = await Scratch.make();
  const goOn = `${scratch.base}/go-on`;
  recordedAgent(
    scratch,
    'claude',
    `recorded claude-2.1.330/commit | head -n 14
until [ -e '${goOn}' ]; do sleep 0.05; done
recorded claude-2.1.330/commit | tail -n +15; ${commits}`,
  );
  scratch.worker('a', 'agent: claude');
  scratch.commitAll();
  const running = scratch.start('run');
  await scratch.happened('worker.active', 'a');
  const following = scratch.start('logs', 'a', '-f');
  await following.seen('▸ Bash: printf');
  scratch.gitIn(scratch.base, 'init', '-q', goOn);
  await following.seen('Committed f.txt. Tool said: c3fae4a');
  assert.equal((await following.finished).code, 0);
  assert.equal((await running.finished).code, 0);
});
