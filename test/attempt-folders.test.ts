/** Agents that put something else in place of the folders in which czar keeps their attempts. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { statesOf } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

/** Shell text that sets `own`, `run` and `runs` to the folders of the worker, the run and all runs. */
const folders = `own=$(dirname "$(dirname "$CZAR_PROMPT_FILE")"); run=$(dirname "$own"); runs=$(dirname "$run")`;

/** Makes an agent whose first attempt does what its worker's name says in `acts`, and whose others work. */
function agent(scratch: Scratch, acts: Readonly<Record<string, string>>, yaml = ''): string {
  const outside = join(scratch.base, 'outside');
  mkdirSync(outside);
  const cases = Object.entries(acts).map(([name, act]) => `${name}) ${act} ;;`);
  scratch.scripted(
    `OUTSIDE='${outside}'; ${folders}
if [ "$CZAR_ATTEMPT" = 1 ]; then case $CZAR_WORKER in
${cases.join('\n')}
esac; fi
echo work > "$CZAR_WORKER.txt"
`,
    yaml,
  );
  for (const name of Object.keys(acts)) scratch.worker(name);
  scratch.commitAll();
  return outside;
}

test('an agent replaces the folder of its worker or of its run by a file or a link: the attempt is lost, and the next one has a folder again', async () => {
  await using scratch = await Scratch.make();
  const acts = {
    'own-file': 'rm -rf "$own"; echo z > "$own"',
    'own-link': 'rm -rf "$own"; ln -s "$OUTSIDE" "$own"',
    'own-pipe': 'rm -rf "$own"; mkfifo "$own"',
    'run-file': 'rm -rf "$run"; echo z > "$run"',
    'run-link': 'rm -rf "$run"; ln -s "$OUTSIDE" "$run"',
  };
  const outside = agent(scratch, acts, 'max_parallel: 1\n');
  const { code, stdout, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stdout + stderr);
  for (const worker of Object.keys(acts)) {
    const states = statesOf(scratch.log(), worker);
    assert.equal(
      states.filter((state) => state === 'active').length,
      2,
      `${worker}: ${states.join(' ')}`,
    );
    assert.equal(states.at(-1), 'complete');
    assert.equal((await scratch.czar('logs', worker)).code, 0);
  }
  assert.deepEqual(readdirSync(outside), [], 'nothing is written through a link');
});

test('an agent replaces the folder of all runs by a link: its attempt is lost, its worker waits for a person, who is told what is in the way', async () => {
  await using scratch = await Scratch.make();
  const outside = agent(scratch, { link: 'rm -rf "$runs"; ln -s "$OUTSIDE" "$runs"' });
  const { code, stdout, stderr } = await scratch.czar('run');
  assert.equal(code, 5, stdout + stderr);
  const said = (await scratch.czar('inbox')).stdout;
  assert.match(said, /\.czar\/runs is a link that leads out of .*: move it away/);
  assert.deepEqual(readdirSync(outside), []);
  const again = await scratch.czar('run');
  assert.equal(again.code, 4, again.stderr);
  assert.match(again.stderr, /a link that leads out of \.czar stands where czar needs a folder/);
  rmSync(join(scratch.repo, '.czar/runs'));
  assert.equal((await scratch.czar('retry', 'link')).code, 0);
  assert.equal((await scratch.czar('run')).code, 0);
});

for (const [what, act] of [
  ['its worker', 'rm -rf "$own"; echo z > "$own"'],
  ['all runs', 'rm -rf "$runs"; ln -s "$OUTSIDE" "$runs"'],
] as const)
  test(`an agent that hangs after it replaced the folder of ${what} is ended like any other`, async () => {
    await using scratch = await Scratch.make();
    const ready = join(scratch.base, 'ready');
    agent(scratch, { a: `${act}; echo $$ > '${ready}'; exec sleep 600` }, 'grace: 1s\n');
    const running = scratch.start('run');
    const pid = Number(await scratch.appears(ready));
    assert.match((await scratch.czar('why', 'a')).stdout, /attempt 1/);
    const cancelled = await scratch.czar('cancel', 'a');
    assert.equal(cancelled.code, 0, cancelled.stderr);
    await running.finished;
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
    assert.equal(statesOf(scratch.log(), 'a').at(-1), 'cancelled');
    const failed = scratch.log().filter(({ type }) => type === 'effect.failed');
    assert.deepEqual(failed, []);
  });
