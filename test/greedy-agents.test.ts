/** Agents that take more of the machine than is good for others. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { all, assertOrder, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const linux = { skip: process.platform !== 'linux' && 'it reads /proc' };

/** Forks two of itself, seven times: 255 in all at most, each for 20 seconds. */
const bomb = `left=8
boom() { left=$((left - 1)); [ $left -gt 0 ] || exec sleep 20; boom & boom & wait; }
boom
`;

/** Fills memory, a megabyte at a time, up to 300 MB, and ends after 20 seconds. */
const filler = `"${process.execPath}" -e 'const all = []; for (let i = 0; i < 300; i += 1) all.push(Buffer.alloc(1e6, 1)); setTimeout(() => all.pop(), 20_000)'
`;

/** A run in which the first attempt of `greedy` runs the script, and the others work as ever. */
async function beside(script: string, limits: string): Promise<any[]> {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `case $CZAR_WORKER/$CZAR_ATTEMPT in greedy/1) ${script};; esac\necho x >"$CZAR_WORKER.txt"\n`,
    'retry: {initial: 0s}\nmax_parallel: 4\n',
  );
  scratch.worker('greedy', `limits: {${limits}}\nretry: {max_attempts: 2}`);
  for (const id of ['first', 'second']) scratch.worker(id);
  scratch.worker('third', 'dependencies: [first]');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.match((await scratch.czar('status', 'greedy')).stdout, /limit/);
  return scratch.log();
}

test('fault 37: a fork bomb ends its own attempt, which says why, and nobody else’s', async () => {
  const log = await beside(bomb, 'processes: 80');
  assert.equal(
    only(log, 'worker.error').data.error,
    'it ran more than 80 processes and threads (limit of limits.processes)',
  );
  assert.equal(only(log, 'worker.error').worker, 'greedy');
  assert.equal(all(log, 'worker.started').length, 5);
});

test('fault 38: an agent that fills the memory ends its own attempt, which says why, and nobody else’s', async () => {
  const log = await beside(filler, 'memory: 100MB');
  assert.equal(
    only(log, 'worker.error').data.error,
    'it used more than 100 MB of memory (limit of limits.memory)',
  );
  assert.equal(only(log, 'worker.error').worker, 'greedy');
  assert.equal(all(log, 'worker.started').length, 5);
});

test('fault 39: while agents keep every processor busy the loop goes on and answers', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `case $CZAR_WORKER in
hog*) while [ ! -e "$HOME/over" ]; do :; done;;
c) touch "$HOME/over";;
esac
echo x >"$CZAR_WORKER.txt"
`,
    'max_parallel: 4\n',
  );
  const hogs = ['hog-1', 'hog-2', 'hog-3'];
  for (const id of hogs) scratch.worker(id);
  scratch.worker('a', 'priority: low');
  scratch.worker('b', 'dependencies: [a]\npriority: low');
  scratch.worker('c', 'dependencies: [b]\npriority: low\napprove: true');
  scratch.commitAll();
  const run = scratch.start('run');
  await run.seen('c waits for approval');
  const { workers } = await scratch.json('status');
  const states = new Map(workers.map((one: any) => [one.id, one.state]));
  assert.deepEqual(
    hogs.map((id) => states.get(id)),
    hogs.map(() => 'active'),
  );
  assert.equal((await scratch.czar('approve', 'c')).code, 0);
  assert.equal((await run.finished).code, 0);
  const log = scratch.log();
  assertOrder(log, 'worker.complete b', 'worker.started c', 'worker.complete c');
  const worked = only(log, 'worker.complete', 'b').seq;
  for (const id of hogs) assert.ok(only(log, 'worker.complete', id).seq > worked, id);
});

test(
  'fault 88: what an agent starts out of sight ends with it, at its time limit too',
  linux,
  async () => {
    await using scratch = await Scratch.make();
    // Each starts the next without its environment, its session and its parent.
    scratch.scripted(`next() {
  setsid env -i PATH="$PATH" HOME="$HOME" sh -c 'echo $$ >>"$HOME/pids"; exec sleep 600' >/dev/null 2>&1 </dev/null &
}
: >"$HOME/pids"
next; next; next
while [ "$(wc -l <"$HOME/pids")" -lt 3 ]; do :; done
cut -d " " -f 1 "$HOME/pids" | while read -r pid; do echo "$pid $(cut -d " " -f 22 "/proc/$pid/stat")"; done >"$HOME/born"
exec sleep 600
`);
    scratch.worker('a', 'timeout: 6s\nretry: {max_attempts: 1}');
    scratch.commitAll();
    assert.notEqual((await scratch.czar('run')).code, 0);
    assert.equal(only(scratch.log(), 'worker.error').data.error, 'it reached its time limit');
    const born = readFileSync(join(scratch.env['HOME'] ?? '', 'born'), 'utf8')
      .trim()
      .split('\n');
    assert.equal(born.length, 3);
    for (const line of born) {
      const [pid, start] = line.split(' ');
      const stat = `/proc/${pid}/stat`;
      const now = existsSync(stat) ? readFileSync(stat, 'utf8').split(' ') : [];
      assert.ok(now[21] !== start || now[2] === 'Z', `${pid} still runs`);
    }
  },
);

test('fault 42: agents at work at the same time can all serve on the ports that they are given', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(`"${process.execPath}" -e '
const { existsSync, writeFileSync } = process.getBuiltinModule("fs");
const { CZAR_PORT, CZAR_PORT_BASE, CZAR_WORKER, HOME } = process.env;
if (CZAR_PORT !== CZAR_PORT_BASE) process.exit(2);
const up = (worker) => HOME + "/up-" + worker;
const servers = Array.from({ length: 10 }, (_, n) => process.getBuiltinModule("net").createServer().listen(Number(CZAR_PORT) + n));
Promise.all(servers.map((one) => process.getBuiltinModule("events").once(one, "listening"))).then(() => {
  writeFileSync(up(CZAR_WORKER), "");
  const look = setInterval(() => ["a", "b", "c"].every((one) => existsSync(up(one))) && process.exit(0), 20);
});
'
echo x >"$CZAR_WORKER.txt"
`);
  for (const id of ['a', 'b', 'c']) scratch.worker(id, 'retry: {max_attempts: 1}');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.equal(all(scratch.log(), 'worker.complete').length, 3);
});
