/** Whole runs with an agent that speaks the Agent Client Protocol and does as its worker's instructions say. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scan } from '../src/process/tree.ts';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const agent = join(import.meta.dirname, 'support/acp-agent.mjs');

async function acting(
  script: string,
  { yaml = '', config = '', at = '' }: { yaml?: string; config?: string; at?: string } = {},
): Promise<Scratch> {
  const scratch = await Scratch.make();
  const command = JSON.stringify([process.execPath, agent]);
  scratch.write(
    '.czar/config.yaml',
    `agents:\n  default: mine\n  define:\n    mine: {adapter: acp, command: ${command}, env: [ACP_AT, ACP_SEEN]}\nmax_rework: 0\n${config}`,
  );
  Object.assign(scratch.env, { ACP_AT: at, ACP_SEEN: join(scratch.base, 'home/seen') });
  scratch.worker('a', yaml, `<script>\n${script}\n</script>\n`);
  scratch.commitAll();
  return scratch;
}

function seen(scratch: Scratch): readonly string[] {
  return readFileSync(join(scratch.base, 'home/seen'), 'utf8').trim().split('\n');
}

/** Resolves as soon as the agent has seen it. */
async function sees(scratch: Scratch, text: string): Promise<void> {
  const file = join(scratch.base, 'home/seen');
  await scratch.logged(
    () => (existsSync(file) && readFileSync(file, 'utf8').includes(text) ? true : undefined),
    `${text} seen`,
  );
}

const commits = 'run echo hello | tee f.txt && git add f.txt && git commit -q -m "feat: add f.txt"';

test('its work is merged; its list of tasks, its usage and its session are in the log', async () => {
  await using scratch = await acting(
    `plan one:in_progress two:pending\n${commits}\nplan one:completed two:completed\nusage 2000 100 500`,
    { yaml: 'deliverables: [f.txt]', config: 'allow: ["git *", "echo *", "tee *"]\n' },
  );
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.match(only(scratch.log(), 'attempt.session').data.session, /^s-\d+$/);
  assert.deepEqual(
    all(scratch.log(), 'worker.task_started').map(({ data }) => data.task),
    ['one'],
  );
  assert.deepEqual(
    all(scratch.log(), 'worker.task_completed').map(({ data }) => data.task),
    ['one', 'two'],
  );
  const { workers } = await scratch.json('status');
  assert.deepEqual([workers[0].tokens.used, workers[0].tokens.source], [2100, 'reported']);
  assert.match((await scratch.czar('logs', 'a')).stdout, /▸ execute: echo hello \| tee f\.txt/);
});

test('what the policy does not settle a person does, while the agent waits', async () => {
  await using scratch = await acting('run touch yes\nrun touch no');
  const run = scratch.start('run');
  await scratch.happened('permission.requested', 'a');
  const following = scratch.start('logs', 'a', '-f');
  await following.seen('(asks for leave: ');
  assert.equal((await scratch.czar('approve', 'a/p1')).code, 0);
  await following.seen('(allowed: ');
  await scratch.logged((log) => all(log, 'permission.requested')[1]);
  assert.equal((await scratch.czar('deny', 'a/p2')).code, 0);
  const { code, stderr } = await run.finished;
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    all(scratch.log(), 'permission.requested').map(({ data }) => data.request.command),
    ['touch yes', 'touch no'],
  );
  assert.deepEqual(
    seen(scratch).filter((line) => line.startsWith('answer')),
    ['answer once', 'answer no'],
  );
  assert.deepEqual(all(scratch.log(), 'permission.denied'), []);
});

test('asked, it waits for the answer, and goes on in its session', async () => {
  await using scratch = await acting("shell czar emit ask 'which one'\nsay asked");
  assert.equal((await scratch.czar('run')).code, 5);
  const { session } = only(scratch.log(), 'attempt.session').data;
  const answer = '<script>\nsay I know\n</script>';
  assert.equal((await scratch.czar('answer', 'a', answer)).code, 0);
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.ok(seen(scratch).includes(`resume ${session}`), seen(scratch).join('\n'));
});

test('cancelled in the middle of a tool: its turn first, and nothing of it is left', async () => {
  await using scratch = await acting('leave\nrun tail -f README.md');
  const run = scratch.start('run');
  const { data } = await scratch.happened('worker.active', 'a');
  await sees(scratch, 'answer once');
  assert.equal((await scratch.czar('cancel', 'a', '--yes')).code, 0);
  await run.finished;
  const told = seen(scratch).filter((line) => /^(cancel|input closed|SIGTERM)$/.test(line));
  assert.deepEqual(told.slice(0, 2), ['cancel', 'input closed']);
  const worktree = join(scratch.repo, '.czar/worktrees/a');
  const roots = [data.process];
  assert.deepEqual(scan({ marker: 'none', roots, worktree, attemptDir: null }), []);
});

test('when the bridge is killed its agent is not left behind, and goes on in its session', async () => {
  await using scratch = await acting('say begun\nhang', {
    at: 'stubborn',
    yaml: 'retry: {from: continue, initial: 0s}',
  });
  const run = scratch.start('run');
  const { data } = await scratch.happened('worker.active', 'a');
  const { data: session } = await scratch.happened('attempt.session', 'a');
  process.kill(data.process.pid, 'SIGKILL');
  await scratch.happened('worker.active', 'a', 2);
  await sees(scratch, `resume ${session.session}`);
  const worktree = join(scratch.repo, '.czar/worktrees/a');
  const left = scan({ marker: 'none', roots: [], worktree, attemptDir: null });
  assert.ok(!left.some(({ process: { pid } }) => pid === Number(session.session.slice(2))));
  assert.equal((await scratch.czar('cancel', 'a', '--yes')).code, 0);
  await run.finished;
});

test('its budget stops it in the middle of its turn', async () => {
  await using scratch = await acting('context 1000 0.1\ncontext 9000 0.2\nhang', {
    yaml: 'budget: {tokens: 3000, limit: 3000}',
  });
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 5, stderr);
  assert.ok(seen(scratch).includes('cancel'));
  const { workers } = await scratch.json('status');
  assert.equal(workers[0].state, 'blocked');
  assert.ok(workers[0].tokens.used >= 8000, workers[0].tokens.used);
});

test('its cost is that of the attempt, not of all that its session had cost before', async () => {
  await using scratch = await acting("context 1000 0.5\nshell czar emit ask 'more'");
  assert.equal((await scratch.czar('run')).code, 5);
  const again = '<script>\ncontext 2000 0.75\n</script>';
  assert.equal((await scratch.czar('answer', 'a', again)).code, 0);
  assert.equal((await scratch.czar('run')).code, 0);
  const { workers } = await scratch.json('status');
  assert.equal(workers[0].cost_usd, 0.75);
});

test('a program that is none of the kind fails its worker with what it said', async () => {
  await using scratch = await acting('say hi', {
    at: 'exit-initialize',
    config: 'retry: {max_attempts: 1}\n',
  });
  assert.equal((await scratch.czar('run')).code, 1);
  assert.match(
    only(scratch.log(), 'worker.error').data.error,
    /it ended with exit code 7 in the middle/,
  );
});

test('agents test speaks with it as a run does; nobody is there to allow what the policy does not', async () => {
  await using scratch = await acting('say hi');
  const { stdout, code } = await scratch.czar('agents', 'test', 'mine', '--yes', '--json');
  // It knows no such prompt, and writes nothing.
  assert.equal(code, 1, stdout);
  const trial = JSON.parse(stdout);
  assert.deepEqual([trial.started, trial.adapter, trial.judgement.kind], [true, 'acp', 'well']);
  assert.match(trial.session, /^s-\d+$/);
});
