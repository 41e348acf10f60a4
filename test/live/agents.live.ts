/**
 * Whole runs with real agents, which ask a scripted model. Each test runs with every agent that is installed, and is
 * skipped for what that agent was measured to do otherwise (docs/agents.md).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scan } from '../../src/process/tree.ts';
import { all, only } from '../support/log.ts';
import { installed, Live, type Name } from './real-agents.ts';

assert.notEqual(installed.length, 0, 'no agent is installed: npm run test:agents installs them');

/** Those that try again for minutes when their provider fails. */
const patient: readonly Name[] = ['gemini', 'qwen', 'opencode'];
/** Those that are held by a sandbox of their own, and ask nobody. */
const sandboxed: readonly Name[] = ['codex', 'codex-acp'];
/** Those that tell in the middle of a turn what it has used. */
const telling: readonly Name[] = ['claude', 'claude-agent-acp', 'codex-acp', 'qwen'];
/** Those whose session goes on. */
const lasting: readonly Name[] = installed.filter((name) => name !== 'gemini');

test('a plan that mixes all agents: each commits its work and reports, and all of it is merged', async () => {
  await using live = await Live.make('max_parallel: 2\n');
  const { scratch } = live;
  for (const name of installed)
    live.worker(name, name, `report ${name}.txt`, `deliverables: [${name}.txt]`);
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr.slice(-900));
  const log = scratch.log();
  for (const name of installed) {
    assert.equal(only(log, 'worker.checkpoint', name).data.name, `${name}.txt`);
    assert.equal(only(log, 'attempt.ended', name).data.judgement.kind, 'well');
    const { workers } = await scratch.json('status');
    const { tokens } = workers.find((worker: any) => worker.id === name);
    // Two steps: 2100 read afresh or 500 of them from a cache, and 81 written; some tell less, none more.
    assert.ok(tokens.used > 1_600 && tokens.used <= 2_700, `${name}: ${tokens.used}`);
    assert.equal(tokens.source, 'reported');
    // Its standing instructions go with what it asks, and so does the file in its tree that it reads by itself.
    const kept = `You are the worker **${name}** of run`;
    const asked = live.model.asked.filter(({ body }) => body.includes(kept));
    assert.ok(
      asked.some(({ body }) => body.includes('Read them again whenever')),
      name,
    );
    assert.ok(
      asked.some(({ body }) => body.includes('stands in `WORKER_IDENTITY.md` of this folder')),
      name,
    );
  }
  const merged = scratch.git(
    'ls-tree',
    '--name-only',
    'czar/' + only(log, 'run.started').run + '-integration',
  );
  assert.deepEqual(merged.split('\n').toSorted(), [
    '.czar',
    'README.md',
    ...installed.map((name) => `${name}.txt`).toSorted(),
  ]);
});

/** Those that read no AGENTS.md, whatever else is there. */
const others: readonly Name[] = ['gemini'];

for (const name of installed) {
  const skip = (names: readonly Name[]) => ({ skip: names.includes(name) });

  test(
    `${name}: what it may not do is not done, and is told with the exact command`,
    skip(sandboxed),
    async () => {
      await using live = await Live.make();
      const { scratch } = live;
      live.worker('a', name, 'run curl --version && git status', 'handoff: optional');
      scratch.commitAll();
      const run = scratch.start('run');
      const first = await scratch.logged(
        (log) => log.find(({ type }) => /^(permission\.requested|attempt\.ended)$/.test(type)),
        'request or end',
      );
      const asked = first.type === 'permission.requested';
      if (asked) assert.equal((await scratch.czar('deny', 'a/p1')).code, 0);
      const { code, stderr } = await run.finished;
      assert.equal(code, 0, stderr.slice(-900));
      const said = asked
        ? only(scratch.log(), 'permission.requested').data.request.command
        : only(scratch.log(), 'permission.denied').data.detail;
      assert.equal(said, 'curl --version && git status');
      assert.equal(only(scratch.log(), 'attempt.ended').data.judgement.kind, 'well');
    },
  );

  test(`${name}: cancelled in the middle of a tool it is gone, and so is what it started`, async () => {
    await using live = await Live.make();
    const { scratch } = live;
    live.worker('a', name, 'run tail -f /dev/null');
    scratch.commitAll();
    const run = scratch.start('run');
    await scratch.logged(() => {
      const [asked] = live.model.asked.filter(
        ({ answer }) => answer.kind === 'answer' && answer.call !== null,
      );
      return asked;
    }, 'tool that is used');
    const { data } = await scratch.happened('worker.active', 'a');
    assert.equal((await scratch.czar('cancel', 'a', '--yes')).code, 0);
    await run.finished;
    const left = scan({
      marker: 'none',
      roots: [data.process],
      worktree: `${scratch.repo}/.czar/worktrees/a`,
      attemptDir: null,
    });
    assert.deepEqual(left, []);
  });

  test(
    `${name}: asked, it waits for the answer, and goes on in its session`,
    { skip: !lasting.includes(name) },
    async () => {
      await using live = await Live.make();
      const { scratch } = live;
      live.worker('a', name, "run czar emit ask 'which one'", 'deliverables: [f.txt]');
      scratch.commitAll();
      assert.equal((await scratch.czar('run')).code, 5);
      assert.equal((await scratch.czar('answer', 'a', '[[model: commit f.txt]]')).code, 0);
      const { code, stderr } = await scratch.czar('run');
      assert.equal(code, 0, stderr.slice(-900));
      const sessions = all(scratch.log(), 'attempt.session').map(({ data }) => data.session);
      assert.equal(new Set(sessions).size, 1, sessions.join());
      // It knew what it was told first.
      const last = live.model.asked.findLast(
        ({ answer }) => answer.kind === 'answer' && answer.call !== null,
      );
      assert.ok(last?.body.includes('which one'));
    },
  );

  test(`${name}: killed in the middle of a tool, nothing of it is left, and the next attempt goes on with what it made`, async () => {
    await using live = await Live.make('retry: {initial: 0s}\n');
    const { scratch } = live;
    scratch.write(
      'work.sh',
      'test -e part.txt && exit 0\necho half > part.txt\nexec tail -f /dev/null\n',
    );
    live.worker('a', name, 'run sh work.sh', 'handoff: optional\nretry: {from: continue}');
    scratch.commitAll();
    const run = scratch.start('run');
    const { data } = await scratch.happened('worker.active', 'a');
    await scratch.appears(`${scratch.repo}/.czar/worktrees/a/part.txt`);
    const tree = { marker: 'none', worktree: null, attemptDir: null };
    const before = scan({ ...tree, roots: [data.process] }).map((one) => one.process);
    assert.ok(before.length > 1, 'its tool runs');
    process.kill(data.process.pid, 'SIGKILL');
    await scratch.happened('worker.active', 'a', 2);
    // Whatever the kill left behind was gone before the next attempt began.
    assert.deepEqual(
      scan({ ...tree, roots: before }).filter(({ process: { pid } }) =>
        before.some((one) => one.pid === pid),
      ),
      [],
    );
    const { code, stderr } = await run.finished;
    assert.equal(code, 0, stderr.slice(-900));
    // It is told what happened; a session that is told anew is the one before, where that goes on.
    const [first, second] = all(scratch.log(), 'attempt.session').map((one) => one.data.session);
    if (lasting.includes(name)) assert.equal(second ?? first, first);
    else assert.notEqual(second, first);
    const told = 'This is attempt 2. You go on in the tree as it was left.';
    const asked = live.model.asked.filter(({ body }) => body.includes(told));
    assert.ok(
      asked.some(({ body }) => body.includes('it ended with exit code 137')),
      name,
    );
    const { run: id } = only(scratch.log(), 'run.started');
    assert.equal(scratch.git('show', `czar/${id}-integration:part.txt`), 'half');
  });

  test(`${name}: metered, what its provider counts is what is counted`, async () => {
    await using live = await Live.make('meter: true\n');
    const { scratch } = live;
    live.worker('a', name, 'turns 3', 'handoff: optional');
    scratch.commitAll();
    const { code, stderr } = await scratch.czar('run');
    assert.equal(code, 0, stderr.slice(-900));
    const sums = [{ input: 0, output: 0, cached: 0 }];
    for (const { answer } of live.model.asked) {
      if (answer.kind === 'error') continue;
      const { fresh, written, cached } = answer.tokens;
      const { input, output, cached: before } = sums.at(-1) ?? assert.fail();
      sums.push({ input: input + fresh, output: output + written, cached: before + cached });
    }
    const told = all(scratch.log(), 'worker.usage', 'a').map(({ data }) => data);
    assert.deepEqual(new Set(told.map(({ source }) => source)), new Set(['metered']));
    const counted = (of: 'input' | 'output' | 'cached'): number =>
      told.reduce((sum, one) => sum + one[of], 0);
    const all3 = { input: counted('input'), output: counted('output'), cached: counted('cached') };
    // What it asks beside its work as it ends may be cut off.
    const [before, whole] = sums.slice(-2);
    assert.deepEqual(all3, all3.input === before?.input ? before : whole);
  });

  test(`${name}: a wrong key fails its worker, for good where its status is told`, async () => {
    await using live = await Live.make();
    const { scratch } = live;
    live.worker('a', name, 'http 401');
    scratch.commitAll();
    assert.equal((await scratch.czar('run')).code, 1);
    const errors = all(scratch.log(), 'worker.error').map(({ data }) => data);
    // It does not tell the status, and is tried again.
    assert.equal(errors.length, name === 'opencode' ? 2 : 1);
    assert.equal(errors[0]?.final, name !== 'opencode', errors[0]?.error);
  });

  test(`${name}: too many requests are waited for`, skip(patient), async () => {
    await using live = await Live.make();
    const { scratch } = live;
    live.worker('a', name, 'http 429');
    scratch.commitAll();
    const run = scratch.start('run');
    const ended = await scratch.happened('attempt.ended', 'a', 1);
    assert.equal(ended.data.judgement.kind, 'quota', JSON.stringify(ended.data.judgement));
    await scratch.happened('worker.ready', 'a', 1);
    assert.equal((await scratch.json('status')).workers[0].waiting_for, 'quota');
    run.child.kill('SIGINT');
    await run.finished;
    assert.deepEqual(all(scratch.log(), 'worker.error'), []);
  });

  test(`${name}: a provider that fails is a failed attempt`, skip(patient), async () => {
    await using live = await Live.make('retry: {max_attempts: 1}\n');
    const { scratch } = live;
    live.worker('a', name, 'http 500');
    scratch.commitAll();
    assert.equal((await scratch.czar('run')).code, 1);
    const { data } = only(scratch.log(), 'attempt.ended');
    assert.equal(data.judgement.kind, 'failed', JSON.stringify(data.judgement));
  });

  test(
    `${name}: a provider that fails for long is given up at the time limit`,
    { skip: !patient.includes(name) },
    async () => {
      await using live = await Live.make('retry: {max_attempts: 1}\n');
      const { scratch } = live;
      live.worker('a', name, 'http 500', 'timeout: 30s');
      scratch.commitAll();
      assert.equal((await scratch.czar('run')).code, 1);
      const { data } = only(scratch.log(), 'attempt.ended');
      assert.equal(data.judgement.kind, 'failed', JSON.stringify(data.judgement));
    },
  );

  test(`${name}: its budget stops it in the middle of its turn, metered where it does not tell`, async () => {
    await using live = await Live.make(telling.includes(name) ? '' : 'meter: true\n');
    const { scratch } = live;
    live.worker('a', name, 'turns 60', 'budget: {tokens: 3000, limit: 3000}');
    scratch.commitAll();
    const { code, stderr } = await scratch.czar('run');
    assert.equal(code, 5, stderr);
    const steps = live.model.asked.filter(
      ({ answer }) => answer.kind === 'answer' && answer.call !== null,
    );
    assert.ok(steps.length < 60, `${steps.length} steps`);
  });

  test(`${name}: an AGENTS.md of the repository is read, and nothing of czar’s hides it`, async () => {
    await using live = await Live.make();
    live.scratch.write('AGENTS.md', 'Build with the word xyzzy.\n');
    live.worker('a', name, 'report a.txt');
    live.scratch.commitAll();
    const { code, stderr } = await live.scratch.czar('run');
    assert.equal(code, 0, stderr.slice(-900));
    const read = live.model.asked.some(({ body }) => body.includes('the word xyzzy'));
    assert.equal(read, !others.includes(name));
  });

  test(`${name}: a tool of czar mcp that it is offered reports what it calls it with`, async () => {
    await using live = await Live.make();
    const { scratch } = live;
    live.worker('a', name, 'tool checkpoint half-way', 'handoff: optional');
    scratch.commitAll();
    const { code, stderr } = await scratch.czar('run');
    assert.equal(code, 0, stderr.slice(-900));
    assert.equal(only(scratch.log(), 'worker.checkpoint', 'a').data.name, 'half-way');
  });
}
