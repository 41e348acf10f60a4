/** Teardown: commands in a worker's tree once its work is at home, whose failure is told and fails nothing. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';
import { inTerminal } from './support/through.ts';

const agent =
  'echo "$CZAR_WORKER" >work.txt; echo up >service.pid; git add work.txt; git commit -qm w\n';

/** A worker whose teardown writes what it finds where the test sees it. */
async function withTeardown(commands: readonly string[], yaml = ''): Promise<Scratch> {
  const scratch = await Scratch.make();
  scratch.scripted(agent, 'check_timeout: 5s\n');
  scratch.worker('a', `teardown: ${JSON.stringify(commands)}\nverify: test -f work.txt\n${yaml}`);
  scratch.commitAll();
  return scratch;
}

function torn(scratch: Scratch): readonly string[] {
  const file = join(scratch.base, 'home/torn');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

test('runs in the tree after the work is at home; what it takes away there is not missing from the work', async () => {
  await using scratch = await withTeardown([
    'test -f work.txt && git log -1 --format=%s >>"$HOME/torn"',
    'rm -f service.pid work.txt',
  ]);
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.deepEqual(torn(scratch), ['a: work left uncommitted']);
  assert.deepEqual(all(scratch.log(), 'teardown.failed'), []);
  const { commit } = only(scratch.log(), 'worker.merged').data;
  assert.match(scratch.git('ls-tree', '--name-only', commit), /^service\.pid\nwork\.txt$/m);
});

test('a command that fails or does not end is told, the others run all the same, and its worker is complete', async () => {
  await using scratch = await withTeardown([
    'echo "port is in use"; exit 3',
    'sleep 60',
    'echo last >>"$HOME/torn"',
  ]);
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /a teardown failed: echo "port is in use"; exit 3: /);
  const told = all(scratch.log(), 'teardown.failed').map(({ data }) => data);
  assert.deepEqual(
    told.map(({ command }) => command),
    ['echo "port is in use"; exit 3', 'sleep 60'],
  );
  assert.ok(told[0]?.findings.includes('port is in use'));
  assert.deepEqual(torn(scratch), ['last']);
  assert.match(
    (await scratch.czar('events')).stdout,
    /TEARDOWN_FAILED command="sleep 60" finding="/,
  );
});

test('runs after an attempt that failed too, before the next one begins', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    'echo "agent $CZAR_ATTEMPT" >>"$HOME/torn"; echo x >x.txt; [ "$CZAR_ATTEMPT" = 2 ]\n',
  );
  scratch.worker('a', 'teardown: echo down >>"$HOME/torn"\nretry: {initial: 0s}');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.deepEqual(torn(scratch), ['agent 1', 'down', 'agent 2', 'down']);
});

describe(
  'a kill during the teardown loses no work, and the teardown runs again',
  inTerminal('npm run crash kills daemons at crash points'),
  () => {
    for (const point of ['teardown:before-run', 'teardown:after-run']) {
      test(point, async () => {
        await using scratch = await withTeardown(['echo down >>"$HOME/torn"; rm -f work.txt']);
        scratch.env['CZAR_CRASH_AT'] = point;
        const { code, signal, stderr } = await scratch.czar('run');
        assert.ok(signal === 'SIGKILL' || code === 137, `${point} was not reached: ${stderr}`);
        delete scratch.env['CZAR_CRASH_AT'];
        const again = await scratch.czar('run');
        assert.equal(again.code, 0, again.stderr);
        assert.equal(torn(scratch).length, point === 'teardown:before-run' ? 1 : 2);
        assert.equal(all(scratch.log(), 'worker.started').length, 1);
        const { commit } = only(scratch.log(), 'worker.merged').data;
        assert.match(scratch.git('ls-tree', '--name-only', commit), /^work\.txt$/m);
      });
    }
  },
);
