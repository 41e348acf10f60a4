/** Agents report, they do not steer: whoever asks from within an attempt is refused, also without its environment. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Background } from './support/background.ts';
import { all } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const launcher = join(import.meta.dirname, '../bin/czar');
// Elsewhere the environment of another process is not shown, and only what is on record is found.
const onLinux = { skip: process.platform === 'linux' ? false : 'needs /proc' };

/** Asks the socket itself, as a client that does not look at where it runs; prints the answer. */
const client = `
  const { request } = require('node:http');
  const [socketPath, body] = process.argv.slice(1);
  const text = JSON.stringify({ ...JSON.parse(body), ...(process.env.SAY ? { pid: process.pid } : {}) });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  request({ socketPath, path: '/requests', method: 'POST', headers }, (answer) => answer.pipe(process.stdout)).end(text);
`;

test(
  'an agent that clears its environment is refused all the same, by its own czar and at the socket, and the daemon says so',
  onLinux,
  async () => {
    await using scratch = await Scratch.make();
    await using daemon = new Background(scratch);
    scratch.config();
    for (const id of ['a', 'b']) scratch.worker(id);
    scratch.commitAll();
    const { run } = await daemon.start();
    const [a, b] = [await scratch.stubs.agent('a'), await scratch.stubs.agent('b')];
    const clean = ['env', '-i', `PATH=${scratch.env['PATH']}`];
    const cancelled = await a.run(...clean, launcher, '--repo', scratch.repo, 'cancel', 'b');
    assert.equal(cancelled.code, 4, cancelled.stdout + cancelled.stderr);
    assert.match(cancelled.stderr, /running attempt cannot steer[^]*worker a/);
    assert.match(
      daemon.log(),
      /refused cancel: a process of a, attempt 1, asked for it \(pid \d+\)/,
    );

    const { socket } = JSON.parse(readFileSync(join(scratch.repo, '.git/czar/owner.json'), 'utf8'));
    const request = JSON.stringify({ v: 1, request: { kind: 'pause', run, worker: 'b' } });
    const node = ['node', '-e', client, socket, request];
    const asked = JSON.parse((await a.run(...clean, 'SAY=1', ...node)).stdout);
    assert.deepEqual([asked.ok, asked.rejection?.exit], [false, 4]);
    assert.match(daemon.log(), /refused pause: a process of a, attempt 1,/);
    assert.deepEqual(all(scratch.log(), 'worker.stop_requested'), []);

    const older = JSON.parse((await a.run(...clean, ...node)).stdout);
    assert.equal(older.ok, true, 'a client that does not say who it is is answered');
    await b.gone;
    await scratch.happened('worker.paused', 'b');
    assert.equal((await scratch.czar('cancel', '--yes')).code, 0);
    await daemon.ended();
  },
);

test('an agent that never had the environment is found by its process on record, with a daemon and without', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  const asks = `${launcher} --repo ${scratch.repo} cancel other`;
  scratch.scripted(
    `[ "$CZAR_WORKER" = a ] || exec czar emit ask "which?"
exec env -i PATH="$PATH" /bin/sh -c 'for n in 1 2; do
  until [ -e go$n ]; do sleep 0.02; done
  ${asks} 2> said$n.txt; echo "$?" > code$n.txt; mv code$n.txt done$n.txt
done'\n`,
  );
  for (const id of ['a', 'other']) scratch.worker(id);
  scratch.commitAll();
  await daemon.start();
  await scratch.happened('worker.active', 'a');
  await scratch.happened('worker.blocked', 'other');
  const { path } = await scratch.json('path', 'a');
  const asking = async (n: number): Promise<string> => {
    writeFileSync(join(path, `go${n}`), '');
    const done = await scratch.appears(join(path, `done${n}.txt`));
    return `${done.trim()} ${readFileSync(join(path, `said${n}.txt`), 'utf8')}`;
  };
  assert.match(await asking(1), /^4 .*running attempt cannot steer/);
  assert.match(daemon.log(), /refused cancel: a process of a, attempt 1,/);
  assert.equal((await scratch.czar('daemon', 'stop')).code, 0);
  await daemon.ended();
  assert.match(await asking(2), /^4 .*running attempt cannot steer/);
  assert.deepEqual(all(scratch.log(), 'worker.cancelled'), []);
  assert.equal((await scratch.czar('cancel', 'other')).code, 0, 'a person may');
});
