/** What a verb prints reaches a reader whole, however slowly it reads, and whoever made the descriptor. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { LogWriter, samplePlan } from '../src/journal/sample-log.test.ts';
import { openJournal } from '../src/journal/sqlite.ts';

const czar = join(import.meta.dirname, '../bin/czar');
const folder = mkdtempSync(join(tmpdir(), 'czar-slow-'));
const repo = join(folder, 'repo');
const env = { PATH: process.env['PATH'], HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') };
after(() => rmSync(folder, { recursive: true, force: true }));

before(() => {
  execFileSync('git', ['init', '-q', repo]);
  mkdirSync(join(repo, '.git/czar'), { recursive: true });
  const log = new LogWriter();
  const events = [log.loopStarted(1), log.runStarted('r', samplePlan(['a']))];
  for (let n = 0; n < 8_000; n += 1) {
    const name = `step ${n} ünïcode ${'x'.repeat(40)}`;
    events.push(log.add({ type: 'worker.checkpoint', run: 'r', worker: 'a', data: { name } }));
  }
  using journal = openJournal(join(repo, '.git/czar/czar.db'));
  journal.append(events, log.state);
});

test(
  'a slow reader gets everything, over a pipe and over a descriptor that does not block',
  { skip: process.platform !== 'linux' },
  async () => {
    const whole = execFileSync(czar, ['events', '--json'], { cwd: repo, env, maxBuffer: 2 ** 26 });
    assert.equal(whole.toString().trimEnd().split('\n').length, 8_002);
    assert.ok(whole.length > 1_000_000);

    for (const before of [':', leaveNonBlocking]) {
      const child = spawn('sh', ['-c', `${before}; exec "$0" events --json`, czar], {
        cwd: repo,
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(child, 'close');
      // It has begun to write, however little that cost it.
      await once(child.stdout, 'readable');
      await isStill(child.pid ?? 0);
      const read: Buffer[] = [];
      for await (const chunk of child.stdout) read.push(chunk);
      assert.deepEqual(await ended, [0, null]);
      assert.ok(Buffer.concat(read).equals(whole), before);
    }
  },
);

/** A process that makes the descriptor non-blocking, for all who share it, and is killed before it can undo that. */
const leaveNonBlocking = `node -e 'process.stdout.write("", () => process.kill(process.pid, "SIGKILL"))'`;

/** Waits until the process has not run for a while: it waits for its reader. */
async function isStill(pid: number): Promise<void> {
  let before = '';
  for (let waited = 0; waited < 20_000; waited += 100) {
    await setTimeout(100);
    const [user, system] =
      readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ').slice(11) ?? [];
    const now = `${user} ${system}`;
    if (now === before) return;
    before = now;
  }
  throw new Error('the writer does not wait');
}
