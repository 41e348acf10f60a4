/** A daemon in its terminal: when everything is over it says how, as `run` does, and its exit code says so too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scratch } from './support/scratch.ts';

const behaviour = `case "$CZAR_WORKER" in
fails) [ -e "$HOME/mended" ] || exit 3 ;;
asks) [ "$CZAR_ATTEMPT" -gt 1 ] || { czar emit ask 'red or blue?'; exit 0; } ;;
esac
echo "$CZAR_WORKER" >"$CZAR_WORKER.txt"
`;

test('1 when a run failed, 5 when one waits for a person, 0 when all is complete, each with the summary', async () => {
  await using scratch = await Scratch.make({ through: 'terminal' });
  scratch.scripted(behaviour, 'retry: {max_attempts: 1}\n');
  scratch.worker('fails');
  scratch.worker('after', 'dependencies: [fails]');
  scratch.worker('asks');
  scratch.commitAll();
  const start = ['daemon', 'start', '--foreground'] as const;
  const waits = await scratch.czar(...start, '--exit-when-waiting');
  assert.equal(waits.code, 5, waits.stderr);
  assert.match(waits.stdout, /waits for you[^]*asks blocked: red or blue\?/);
  assert.equal((await scratch.czar('answer', 'asks', 'red')).code, 0);
  const failed = await scratch.czar(...start);
  assert.equal(failed.code, 1, failed.stderr);
  assert.match(failed.stdout, /failed after[^]*✗ fails failed[^]*! after blocked/);
  scratch.gitIn(scratch.base, 'init', '-q', 'home/mended');
  const { code, stdout } = await scratch.czar(...start, '--failed', '--json');
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).run.state, 'complete');
});

test('one that is told to end has nothing to say of runs that go on', async () => {
  await using scratch = await Scratch.make({ through: 'terminal' });
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const daemon = scratch.start('daemon', 'start', '--foreground');
  const agent = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  assert.equal((await scratch.czar('daemon', 'stop', '--agents', 'stop')).code, 0);
  await agent.gone;
  const { code, stdout } = await daemon.finished;
  assert.deepEqual([code, stdout], [0, '']);
});
