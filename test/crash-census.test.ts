/** Who is there in the background of a repository, as the crash harness sees it: against processes that pretend to be daemons. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Census } from '../crash/census.ts';

test(
  'two daemons that lead at the same time',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const repo = realpathSync(mkdtempSync(join(tmpdir(), 'czar-census-')));
    t.after(() => rmSync(repo, { recursive: true, force: true }));
    mkdirSync(join(repo, '.git/czar'), { recursive: true });
    writeFileSync(join(repo, '.git/czar/czar.db'), '');
    const census = new Census(repo);
    const lead = async (): Promise<ChildProcess> => {
      const script =
        'fs.openSync(process.argv[1] + "/.git/czar/czar.db"); console.log("leads"); process.stdin.resume()';
      const args = ['-e', script, repo, '--guarded', '--repo', repo];
      const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] });
      await once(child.stdout, 'data');
      return child;
    };
    const first = await lead();
    for (let look = 0; look < 5; look += 1)
      assert.deepEqual(
        census.look().leaders.map(({ pid }) => pid),
        [first.pid],
      );
    assert.equal(census.finding, null);
    // A child of a killed one that has become no other program yet: one thread, and all its files.
    const forked = spawn(
      '/bin/sh',
      [
        '-c',
        'exec 3<"$0/.git/czar/czar.db"; echo there; read -r end',
        repo,
        '--guarded',
        '--repo',
        repo,
      ],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    );
    await once(forked.stdout, 'data');
    assert.equal(census.look().leaders.length, 1);
    forked.stdin.end();
    await once(forked, 'close');
    const second = await lead();
    for (let look = 0; look < 5; look += 1) census.look();
    assert.match(census.finding ?? '', /^two daemons lead: \d+ and \d+$/);
    for (const child of [first, second]) child.stdin?.end();
    await Promise.all([first, second].map(async (child) => once(child, 'close')));
  },
);
