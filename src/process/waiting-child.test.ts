/** The child that becomes the agent waits under its shim before there is an attempt. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as soon } from 'node:timers/promises';
import { appears, follow, left, scratchAttempts, started } from '../../test/support/attempts.ts';
import type { ProcessIdentity } from '../core/events.ts';
import { startAttempt } from './attempt.ts';
import { recoverAttempt } from './follow.ts';
import { identify } from './identity.ts';
import { Runners } from './runners.ts';
import { readStatus, type RecordedProcess } from './status.ts';
import { listProcesses, systemFacts } from './table.ts';

const { home, runners, folder, options } = scratchAttempts('waiting');

test('the child that waited is the next agent, and nothing of the attempt before it', async () => {
  const first = await complete(runners);
  const waiting = identify(await childOf(first.shim));
  assert.ok(typeof waiting === 'object');
  assert.deepEqual(left(first.dir), []);
  const second = await complete(runners);
  assert.deepEqual(second.shim, first.shim);
  assert.deepEqual(second.agent, waiting);
});

test('a child that waited for too long is replaced, so that an agent is not older than its attempt', async () => {
  using others = new Runners(join(home, 'others'), { maxWaitMs: -1 });
  const first = await complete(others);
  const waiting = await childOf(first.shim);
  const second = await complete(others);
  assert.equal(second.shim.pid, first.shim.pid);
  assert.notEqual(second.agent.pid, waiting);
});

test('when the child that waits is killed its shim ends, and another has the next attempt', async () => {
  const first = await complete(runners);
  const waiting = await childOf(first.shim);
  process.kill(waiting, 'SIGTERM');
  while (listProcesses(systemFacts)?.some(({ pid }) => pid === first.shim.pid) === true)
    await soon();
  const second = await complete(runners);
  assert.notEqual(second.shim.pid, first.shim.pid);
});

test('a shim whose child is killed while it is told of an attempt records nothing it cannot know', async () => {
  const killed = async (isNoted: boolean): Promise<string> => {
    const dir = folder();
    const prepare = async (): Promise<void> => {
      await appears(dir, 'status');
      const { shim } = shimOf(dir);
      while (isNoted && !noteOf(shim).endsWith(`${dir}\n`)) await soon();
      process.kill(await childOf(shim), 'SIGKILL');
    };
    const result = await startAttempt(runners, options(dir, 'echo ran', { prepare })).catch(String);
    assert.deepEqual(left(dir), []);
    assert.ok(!existsSync(join(dir, 'output')) || readFileSync(join(dir, 'output'), 'utf8') === '');
    if (typeof result === 'string') {
      assert.deepEqual(await recoverAttempt({ dir, boot: '' }), { kind: 'never-started' });
      return result;
    }
    assert.ok('failed' in result && !result.final);
    return result.failed;
  };
  assert.match(await killed(true), /its records cannot be written/);
  // The shim knows of no attempt when its child has claimed one and not noted it yet.
  for (let n = 0; n < 20; n += 1)
    assert.match(await killed(false), /its records cannot be written|does not get to its agent/);
});

test('a child whose shim was killed starts nothing when it is told to', async () => {
  const dir = folder();
  const prepare = async (): Promise<void> => {
    await appears(dir, 'status');
    const { shim } = shimOf(dir);
    const child = await childOf(shim);
    process.kill(child, 'SIGSTOP');
    process.kill(shim.pid, 'SIGKILL');
    while (listProcesses(systemFacts)?.find(({ pid }) => pid === shim.pid)?.state !== 'Z');
    // By then the word to begin is in the pipe.
    setImmediate(() => process.kill(child, 'SIGCONT'));
  };
  await assert.rejects(
    startAttempt(runners, options(dir, 'echo ran', { prepare })),
    /does not get to its agent/,
  );
  while (left(dir).length > 0) await soon();
  const found = await recoverAttempt({ dir, boot: '' });
  assert.equal(found.kind, 'never-started');
  assert.equal(readFileSync(join(dir, 'output'), 'utf8'), '');
});

test('an agent that leads its status elsewhere has an unknown end, and nothing is written there', async () => {
  for (const put of ['ln -s "$DIR/elsewhere" "$DIR/status"', 'mkfifo "$DIR/status"', ':']) {
    const dir = folder();
    writeFileSync(join(dir, 'elsewhere'), 'kept\n');
    const script = `rm "$DIR/status"; ${put}`;
    const agent = started(await startAttempt(runners, options(dir, script)));
    const end = await follow(dir, agent, runners);
    assert.equal(end?.how, 'lost', put);
    assert.equal(readFileSync(join(dir, 'elsewhere'), 'utf8'), 'kept\n');
  }
});

test('an attempt that has a claim keeps its records when it is started again', async () => {
  const first = await complete(runners);
  const records = readFileSync(join(first.dir, 'status'), 'utf8');
  const again = started(await startAttempt(runners, options(first.dir, 'echo ran')));
  assert.equal(again.pid, first.agent.pid);
  assert.equal(readFileSync(join(first.dir, 'status'), 'utf8'), records);
  // A link that leads nowhere is not followed either.
  const dir = folder();
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'status'));
  assert.ok('failed' in (await startAttempt(runners, options(dir, 'echo ran'))));
  assert.ok(!existsSync(join(dir, 'elsewhere')));
  rmSync(join(dir, 'status'));
});

interface Completed {
  readonly dir: string;
  readonly shim: RecordedProcess;
  readonly agent: ProcessIdentity;
}

/** An attempt from its start until its shim is free again. */
async function complete(of: Runners): Promise<Completed> {
  const dir = folder();
  const agent = started(await startAttempt(of, options(dir, 'exit 3')));
  assert.deepEqual(await follow(dir, agent, of), { how: 'exited', code: 3 });
  of.release(dir);
  return { dir, agent, shim: shimOf(dir).shim };
}

function shimOf(dir: string): { readonly shim: RecordedProcess } {
  const status = readStatus(dir);
  assert.ok('shim' in status && status.shim !== null);
  return { shim: status.shim };
}

function noteOf({ pid }: RecordedProcess): string {
  return readFileSync(join(home, 'shims', String(process.pid), String(pid)), 'utf8');
}

/** The one process that the shim has started; waits until there is one. */
async function childOf(shim: RecordedProcess): Promise<number> {
  for (;;) {
    const found = listProcesses(systemFacts)?.find(
      ({ ppid, state }) => ppid === shim.pid && state !== 'Z',
    );
    if (found !== undefined) return found.pid;
    await soon();
  }
}
