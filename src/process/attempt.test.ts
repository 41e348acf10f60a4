import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  appears,
  follow,
  left,
  scratchAttempts,
  started,
  stop,
} from '../../test/support/attempts.ts';
import { startAttempt } from './attempt.ts';
import { followAttempt, recoverAttempt } from './follow.ts';
import { bootId, liveness } from './identity.ts';
import {
  attemptKey,
  markStopped,
  markWatched,
  readStatus,
  readStopped,
  readWatchdog,
  voidAttempt,
} from './status.ts';
import { systemFacts } from './table.ts';
import { stopTree } from './tree.ts';

const { home, runners, folder, options } = scratchAttempts('attempt');

const forever = 'trap "" TERM; echo ready >"$DIR/ready"; while :; do sleep 60; done';

test('an attempt is started, followed and its exit code found', async () => {
  const dir = folder();
  const agent = started(
    await startAttempt(runners, options(dir, 'echo out; echo err >&2; exit 7')),
  );
  assert.deepEqual(await follow(dir, agent), { how: 'exited', code: 7 });
  assert.equal(readFileSync(join(dir, 'output'), 'utf8'), 'out\n');
  assert.equal(readFileSync(join(dir, 'errors'), 'utf8'), 'err\n');
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  assert.equal(statSync(join(dir, 'output')).mode & 0o777, 0o600);
});

test('the agent has the recorded identity, no terminal input and the default signals', async () => {
  const dir = folder();
  const script =
    'read -r x && echo had-input; grep -E "SigIgn" /proc/self/status; echo $$; ls -l /proc/$$/fd';
  const agent = started(await startAttempt(runners, options(dir, script)));
  await follow(dir, agent);
  const output = readFileSync(join(dir, 'output'), 'utf8');
  assert.ok(!output.includes('had-input'));
  assert.match(output, new RegExp(`^${agent.pid}$`, 'm'));
  assert.ok(!output.includes('/status'), 'the agent has no descriptor of the records');
  if (systemFacts.platform === 'proc') assert.match(output, /SigIgn:\s+0+$/m);
});

test('fifty very fast exits are all recorded', async () => {
  const runs = Array.from({ length: 50 }, async (_, i) => {
    const dir = folder();
    const agent = started(await startAttempt(runners, options(dir, `exit ${i}`)));
    return follow(dir, agent);
  });
  const ends = await Promise.all(runs);
  assert.deepEqual(
    ends,
    ends.map((_, code) => ({ how: 'exited', code })),
  );
});

test('a missing program is a final failure that names it', async () => {
  const dir = folder();
  const result = await startAttempt(runners, options(dir, '', { argv: ['no-such-agent', 'x'] }));
  assert.ok('failed' in result && result.final);
  assert.match(result.failed, /no-such-agent/);
  assert.equal(readStatus(dir).kind, 'none');
});

test('a file that is not executable is a final failure that says so', async () => {
  const dir = folder();
  const file = join(dir, 'agent.txt');
  writeFileSync(file, 'x', { mode: 0o644 });
  const result = await startAttempt(runners, options(dir, '', { argv: [file] }));
  assert.ok('failed' in result && result.final);
  assert.match(result.failed, /not executable/);
});

test('a program that the system refuses to run says so on errors with the name of the shim', async () => {
  const dir = folder();
  const file = join(dir, 'agent');
  writeFileSync(file, '#!/no/such/interpreter\n', { mode: 0o755 });
  const agent = started(await startAttempt(runners, options(dir, '', { argv: [file] })));
  const end = await follow(dir, agent);
  assert.ok(end?.how === 'exited' && (end.code === 126 || end.code === 127));
  assert.match(readFileSync(join(dir, 'errors'), 'utf8'), /^czar-exec:/m);
});

test('a folder is started at most once', async () => {
  const dir = folder();
  await follow(dir, started(await startAttempt(runners, options(dir, 'echo once'))));
  const again = await startAttempt(runners, options(dir, 'echo twice'));
  // The records of the first one are what a second start finds.
  assert.ok('started' in again);
  assert.equal(readFileSync(join(dir, 'output'), 'utf8'), 'once\n');
});

test('fault 47: of a start and a loop that gives it up exactly one wins', async () => {
  const races = Array.from({ length: 20 }, async (_, i) => {
    const dir = folder();
    const start = startAttempt(runners, options(dir, 'echo ran'));
    if (i % 2 === 1) await new Promise(setImmediate);
    const won = voidAttempt(dir);
    const result = await start;
    if (won) {
      assert.ok('failed' in result && !result.final, JSON.stringify(result));
      assert.equal(readStatus(dir).kind, 'void');
    } else {
      await follow(dir, started(result));
    }
    if (won) assert.ok(!existsSync(join(dir, 'output')), 'it never came to its program');
    else assert.equal(readFileSync(join(dir, 'output'), 'utf8'), 'ran\n');
  });
  await Promise.all(races);
});

test('fault 24: an attempt outlives a killed parent, and another process finds its exit', async () => {
  const dir = folder();
  const program = `
    import { startAttempt } from ${JSON.stringify(import.meta.resolve('./attempt.ts'))};
    import { Runners } from ${JSON.stringify(import.meta.resolve('./runners.ts'))};
    const runners = new Runners(${JSON.stringify(join(home, 'others'))});
    const result = await startAttempt(runners, JSON.parse(process.argv[1]));
    console.log(JSON.stringify(result));
    setInterval(() => {}, 1000);`;
  const script = 'echo ready >"$DIR/ready"; while [ ! -e "$DIR/go" ]; do sleep 0.05; done; exit 9';
  const args = ['--input-type=module', '-e', program, JSON.stringify(options(dir, script))];
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await appears(dir, 'ready');
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  const found = await recoverAttempt({ dir, boot: bootId() });
  assert.ok(found.kind === 'running');
  assert.equal(liveness(found.process), 'alive');
  const end = follow(dir, found.process);
  writeFileSync(join(dir, 'go'), '');
  assert.deepEqual(await end, { how: 'exited', code: 9 });
  const later = await recoverAttempt({ dir, boot: bootId() });
  assert.ok(later.kind === 'ended' && later.code === 9);
});

test('a killed agent has the exit code of its signal', async () => {
  const dir = folder();
  const agent = started(await startAttempt(runners, options(dir, forever)));
  process.kill(agent.pid, 'SIGKILL');
  assert.deepEqual(await follow(dir, agent), { how: 'exited', code: 137 });
  assert.equal(readFileSync(join(dir, 'errors'), 'utf8'), '', 'the shell says nothing of its own');
});

test('when the shim is killed the agent is adopted and its exit is unknown', async () => {
  const dir = folder();
  const agent = started(await startAttempt(runners, options(dir, forever)));
  await appears(dir, 'ready');
  const status = readStatus(dir);
  assert.ok(status.kind === 'running' && status.shim !== null);
  process.kill(status.shim.pid, 'SIGKILL');
  const found = await recoverAttempt({ dir, boot: bootId() });
  assert.deepEqual(found, { kind: 'running', process: agent });
  const end = follow(dir, agent);
  process.kill(agent.pid, 'SIGKILL');
  const seen = await end;
  assert.equal(seen?.how, 'lost');
  const later = await recoverAttempt({ dir, boot: bootId() });
  assert.equal(later.kind, 'unknown-exit');
  const { survivors } = await stop(dir);
  assert.deepEqual(survivors, []);
});

test('fault 44: a restart of the machine ends the attempt with an unknown exit', async () => {
  const dir = folder();
  writeFileSync(join(dir, 'status'), 'shim 10 5 .\nagent 11 5 .\n');
  const found = await recoverAttempt({ dir, boot: 'an earlier boot' });
  assert.ok(found.kind === 'unknown-exit');
  writeFileSync(join(dir, 'status'), 'boot an-earlier-boot .\nshim 10 5 .\nagent 11 5 .\n');
  assert.equal((await recoverAttempt({ dir, boot: '' })).kind, 'unknown-exit');
  const process = { pid: 11, start: '5', boot: 'an earlier boot' };
  assert.equal((await follow(dir, process))?.how, 'lost');
});

test('an attempt that nobody claimed is claimed by the recovering loop and never starts', async () => {
  const dir = folder();
  assert.deepEqual(await recoverAttempt({ dir, boot: bootId() }), { kind: 'never-started' });
  const late = await startAttempt(runners, options(dir, 'echo ran'));
  assert.ok('failed' in late && !late.final);
});

test('fault 23: a claim whose shim is gone never started', async () => {
  const dir = folder();
  writeFileSync(join(dir, 'status'), 'shim 4000000 5 .\n');
  assert.deepEqual(await recoverAttempt({ dir, boot: bootId() }), { kind: 'never-started' });
});

test('fault 26: the watchdog ends an attempt at its time limit, with its parent dead and SIGTERM ignored', async () => {
  const dir = folder();
  const program = `
    import { startAttempt } from ${JSON.stringify(import.meta.resolve('./attempt.ts'))};
    import { Runners } from ${JSON.stringify(import.meta.resolve('./runners.ts'))};
    const runners = new Runners(${JSON.stringify(join(home, 'others'))});
    await startAttempt(runners, JSON.parse(process.argv[1]));
    process.kill(process.pid, 'SIGKILL');`;
  const script = `(trap "" TERM; setsid sleep 60) & ${forever}`;
  const limits = options(dir, script, { timeoutMs: 400, graceMs: 100 });
  const args = ['--input-type=module', '-e', program, JSON.stringify(limits)];
  await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit');
  await appears(dir, 'status');
  const found = await recoverAttempt({ dir, boot: bootId() });
  assert.ok(found.kind === 'running');
  assert.deepEqual(await follow(dir, found.process), { how: 'stopped', why: 'timeout', code: 137 });
  await watchdogEnds(dir);
  assert.deepEqual(left(dir), []);
});

test('the watchdog ends an attempt that nobody watches', async () => {
  const dir = folder();
  const agent = started(
    await startAttempt(runners, options(dir, forever, { unattendedMs: 300, graceMs: 100 })),
  );
  runners.guard(dir);
  assert.deepEqual(await follow(dir, agent), { how: 'stopped', why: 'unattended', code: 137 });
});

test('the watchdog leaves an attempt alone that is watched', async () => {
  const dir = folder();
  const script = 'for i in 1 2 3 4 5 6 7 8; do sleep 0.1; echo $i; done';
  const agent = started(await startAttempt(runners, options(dir, script, { unattendedMs: 400 })));
  runners.guard(dir);
  const end = await followAttempt({
    dir,
    process: agent,
    signal: AbortSignal.timeout(15_000),
    onActivity: () => markWatched(dir),
  });
  assert.deepEqual(end, { how: 'exited', code: 0 });
});

test('the watchdog ends with an agent that killed its own group politely', async () => {
  const dir = folder();
  const agent = started(
    await startAttempt(runners, options(dir, 'trap "exit 5" TERM; kill 0; exit 6')),
  );
  runners.guard(dir);
  assert.deepEqual(await follow(dir, agent), { how: 'exited', code: 5 });
  await watchdogEnds(dir);
});

test('fault 25: a stop finds children in other sessions, ends them, and leaves the exit on record', async () => {
  const dir = folder();
  const script = `
    setsid sh -c '(trap "" TERM; sh -c "echo \\$\\$ >\\"$DIR/deep\\"; while :; do sleep 60; done" &)' &
    (env -i /bin/sh -c 'kill -STOP $$; sleep 60') &
    ${forever}`;
  const agent = started(await startAttempt(runners, options(dir, script)));
  const deep = Number(await appears(dir, 'deep'));
  await appears(dir, 'ready');
  assert.equal(markStopped(dir, 'requested'), true);
  assert.equal(markStopped(dir, 'timeout'), false);
  const { ended, survivors } = await stop(dir);
  assert.deepEqual(survivors, []);
  const pids = ended.map((one) => one.pid);
  assert.ok(pids.includes(agent.pid) && pids.includes(deep));
  assert.deepEqual(await follow(dir, agent), { how: 'stopped', why: 'requested', code: 137 });
  assert.equal(readStopped(dir), 'requested');
});

test('what an ended agent left behind is found by its marker and ended', async () => {
  const dir = folder();
  const script =
    'setsid sh -c "echo \\$\\$ >$DIR/left; exec sleep 60" >/dev/null 2>&1 & while [ ! -s "$DIR/left" ]; do sleep 0.02; done';
  const agent = started(await startAttempt(runners, options(dir, script)));
  assert.deepEqual(await follow(dir, agent), { how: 'exited', code: 0 });
  const left = Number(await appears(dir, 'left'));
  const { ended, survivors } = await stop(dir, 1_000);
  assert.deepEqual(survivors, []);
  assert.ok(ended.some((one) => one.pid === left));
});

test('a daemon without the marker is found where it works, a stranger there is not', async () => {
  const dir = folder();
  const tree = mkdtempSync(join(home, 'tree-'));
  const stranger = spawn('sleep', ['60'], { cwd: tree, stdio: 'ignore' });
  const script = `setsid env -i /bin/sh -c '(echo $$ >"${dir}/pid"; exec sleep 60) &' >/dev/null 2>&1; ${forever}`;
  started(await startAttempt(runners, options(dir, script, { cwd: tree })));
  await appears(dir, 'ready');
  const query = { marker: attemptKey(dir), roots: [], worktree: tree, attemptDir: dir };
  const { survivors } = await stopTree({ ...query, graceMs: 50 });
  assert.deepEqual(survivors, []);
  assert.equal(stranger.exitCode ?? stranger.signalCode, null);
  stranger.kill();
  await once(stranger, 'exit');
});

test('activity in the folder is told, and following ends when it is told to', async () => {
  const dir = folder();
  const agent = started(await startAttempt(runners, options(dir, `echo first; ${forever}`)));
  const enough = new AbortController();
  const end = followAttempt({
    dir,
    process: agent,
    signal: enough.signal,
    onActivity: () => enough.abort(),
  });
  assert.equal(await end, null);
  assert.equal(liveness(agent), 'alive');
});

async function watchdogEnds(dir: string): Promise<void> {
  const watchdog = readWatchdog(dir);
  // It may have been told of the end before it came to its first line.
  if (watchdog === null) return;
  const process = { ...watchdog, boot: bootId() };
  // Nothing tells of the end of a process that is not our child: look until it is gone.
  const patience = AbortSignal.timeout(20_000);
  while (liveness(process) !== 'gone') {
    assert.ok(!patience.aborted, 'the watchdog ends');
    await new Promise(setImmediate);
  }
}
