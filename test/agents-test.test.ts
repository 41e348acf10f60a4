/** `czar agents test`: what it finds out, and that nothing of it is left. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { agentTrialSchema } from '../src/report/agent-trial-schema.ts';
import { identify } from '../src/process/identity.ts';
import { recordedAgent } from './support/recorded-agent.ts';
import { Scratch } from './support/scratch.ts';
import { goneFrom } from './support/through.ts';

/** Does what the prompt asks: the word is the last one of its line. */
const obeys = `word=$(sed -n 's/.*It holds one line: //p' "$CZAR_PROMPT_FILE")
echo "$word" > czar-test.txt`;
const commits = 'git add czar-test.txt; git commit -q -m Test';

/** A scratch repository whose temporary files lie in `<base>/tmp`. */
async function made(): Promise<Scratch & AsyncDisposable> {
  const scratch = await Scratch.make();
  mkdirSync(join(scratch.base, 'tmp'));
  scratch.env['TMPDIR'] = join(scratch.base, 'tmp');
  return scratch;
}

async function tried(scratch: Scratch, ...args: readonly string[]) {
  const { code, stdout, stderr } = await scratch.czar('agents', 'test', ...args, '--yes', '--json');
  assert.notEqual(stdout, '', stderr);
  const left = readdirSync(join(scratch.base, 'tmp')).filter((one) =>
    one.startsWith('czar-agents'),
  );
  assert.deepEqual(left, []);
  return { code, trial: agentTrialSchema.parse(JSON.parse(stdout)) };
}

for (const [agent, stream, usage] of [
  ['claude', 'claude-2.1.330/commit', { input: 2100, output: 81, cached: 500 }],
  ['codex', 'codex-0.169.0/commit', { input: 2100, output: 81, cached: 500 }],
] as const) {
  test(`${agent} that writes and commits is found to work, with its session and usage`, async () => {
    await using scratch = await made();
    const seen = join(scratch.base, 'seen');
    recordedAgent(
      scratch,
      agent,
      `echo "$HOME $*" > '${seen}'\n${obeys}\n${commits}\nrecorded ${stream}`,
    );
    const { code, trial } = await tried(scratch, agent);
    assert.equal(code, 0);
    assert.deepEqual(
      [trial.ok, trial.started, trial.written, trial.committed, trial.judgement?.kind],
      [true, true, true, true, 'well'],
    );
    assert.ok(trial.session !== null && trial.said[0] === 'Step 0 of commit.');
    const { cost_usd: cost, ...tokens } = trial.usage ?? assert.fail();
    assert.deepEqual(tokens, usage);
    assert.equal(cost > 0, agent === 'claude');
    // Logins lie in the user's own HOME.
    assert.ok(readFileSync(seen, 'utf8').startsWith(`${join(scratch.base, 'home')} `));
    const { stdout, stderr } = await scratch.czar('agents', 'test', agent, '--yes');
    assert.match(stderr, /is started once .* for at most 5m: that costs what its provider takes/);
    assert.match(stdout, /^yes {2}committed it$/m);
    assert.match(stdout, /^yes {2}usage: 2,100 in, 81 out, 500 cached/m);
    assert.equal(existsSync(join(scratch.repo, '.git/czar')), false);
  });
}

test('an agent that is turned away, says that it is done without doing it, or may not commit is told apart', async () => {
  await using scratch = await made();
  recordedAgent(scratch, 'claude', 'recorded claude-2.1.330/http401; exit 1');
  const refused = await tried(scratch, 'claude');
  assert.equal(refused.code, 1);
  assert.deepEqual(
    [refused.trial.written, refused.trial.judgement?.kind, refused.trial.judgement?.final],
    [false, 'failed', true],
  );
  recordedAgent(scratch, 'claude', 'recorded claude-2.1.330/http429; exit 1');
  assert.equal((await tried(scratch, 'claude')).trial.judgement?.kind, 'quota');
  recordedAgent(scratch, 'claude', `${obeys}; recorded claude-2.1.330/denied`);
  const denied = (await tried(scratch, 'claude')).trial;
  assert.deepEqual(
    [denied.ok, denied.written, denied.committed, denied.judgement?.kind],
    [false, true, false, 'well'],
  );
  assert.match(denied.denied[0] ?? '', /^Bash: printf /);
  recordedAgent(scratch, 'claude', 'echo wrong > czar-test.txt; recorded claude-2.1.330/commit');
  const idle = (await tried(scratch, 'claude')).trial;
  assert.deepEqual([idle.ok, idle.written, idle.judgement?.kind], [false, false, 'well']);
  // Where it may only edit files, czar commits for it.
  scratch.write('.czar/config.yaml', 'permissions: edit\n');
  recordedAgent(scratch, 'claude', `${obeys}; recorded claude-2.1.330/denied`);
  const edits = await tried(scratch, 'claude');
  assert.deepEqual([edits.code, edits.trial.commit_needed, edits.trial.ok], [0, false, true]);
});

test('a program of the repository that speaks as Claude Code does is taken from there, whatever the adapter', async () => {
  await using scratch = await made();
  scratch.write(
    '.czar/config.yaml',
    'agents: {define: {boxed: {adapter: claude, command: [./tools/boxed]}}}\n',
  );
  const script = recordedAgent(
    scratch,
    'boxed',
    `${obeys}\n${commits}\nrecorded claude-2.1.330/commit`,
    {
      version: 'echo 2.1.330',
    },
  );
  scratch.acting(() => {
    mkdirSync(join(scratch.repo, 'tools'));
    copyFileSync(script, join(scratch.repo, 'tools/boxed'));
  });
  const { code, trial } = await tried(scratch, 'boxed');
  assert.deepEqual([code, trial.adapter, trial.error], [0, 'claude', null]);
  const { agents } = await scratch.json('agents');
  const boxed = agents.find((one: any) => one.name === 'boxed');
  assert.deepEqual([boxed.version, boxed.path], ['2.1.330', join(scratch.repo, 'tools/boxed')]);
});

test('any program can be tried; its time ends it with all that it started, and what it left behind is ended too', async () => {
  await using scratch = await made();
  const pids = join(scratch.base, 'pids');
  // One in a session of its own, one that keeps its environment; both outlive their parent.
  const left = `setsid sleep 600 & echo $! >> '${pids}'; sleep 601 & echo $! >> '${pids}'`;
  scratch.scripted(`${left}\n${obeys}\n${commits}\nczar emit usage --input-tokens 7\n`);
  const good = await tried(scratch, 'script');
  assert.deepEqual([good.code, good.trial.usage?.input], [0, 7]);
  scratch.scripted(`${left}\necho working\nexec sleep 602\n`);
  const { code, trial } = await tried(scratch, 'script', '--timeout', '2s');
  assert.equal(code, 1);
  assert.deepEqual(
    [trial.started, trial.judgement?.reason, trial.said],
    [true, 'it reached its time limit', ['working']],
  );
  const all = readFileSync(pids, 'utf8').trim().split('\n').map(Number);
  assert.equal(all.length, 4);
  for (const pid of all) assert.equal(identify(pid), 'gone', `process ${pid} goes on`);
});

test('nothing is started without a yes, of an agent that is not there, or for an agent', async () => {
  await using scratch = await made();
  const began = join(scratch.base, 'began');
  recordedAgent(scratch, 'claude', `touch '${began}'`);
  const unasked = await scratch.czar('agents', 'test', 'claude');
  assert.equal(unasked.code, 4);
  assert.match(unasked.stderr, /nothing was started: .* costs[^]*czar agents test claude --yes/);
  const unknown = await scratch.czar('agents', 'test', 'claud', '--yes');
  assert.equal(unknown.code, 3);
  assert.match(unknown.stderr, /did you mean claude\?/);
  assert.equal((await scratch.czar('agents', 'test', 'claude', '--timeout', 'x', '--yes')).code, 2);
  scratch.env['CZAR_ATTEMPT'] = '1';
  assert.equal((await scratch.czar('agents', 'test', 'claude', '--yes')).code, 4);
  delete scratch.env['CZAR_ATTEMPT'];
  assert.equal(existsSync(began), false);
  scratch.write(
    '.czar/config.yaml',
    'agents: {define: {gone: {adapter: command, command: [no-such-program]}}}\n',
  );
  const gone = await tried(scratch, 'gone');
  assert.deepEqual(
    [gone.code, gone.trial.started, gone.trial.error],
    [1, false, 'no-such-program is not on the PATH'],
  );
});

test('Ctrl-C ends it, and nothing is left', async () => {
  await using scratch = await made();
  const began = join(scratch.base, 'began');
  scratch.scripted(`echo $$ > '${began}.part'; mv '${began}.part' '${began}'; exec sleep 600`);
  const running = scratch.start('agents', 'test', 'script', '--yes');
  const pid = Number(await scratch.appears(began));
  running.child.kill('SIGINT');
  assert.equal((await running.finished).code, 130);
  assert.equal(identify(pid), 'gone');
  assert.deepEqual(readdirSync(join(scratch.base, 'tmp')), []);
});

test('when czar is killed while it tries an agent, the agent ends at its time limit', async () => {
  await using scratch = await made();
  const began = join(scratch.base, 'began');
  scratch.scripted(`echo $$ > '${began}.part'; mv '${began}.part' '${began}'; exec sleep 600`);
  const running = scratch.start('agents', 'test', 'script', '--timeout', '1s', '--yes');
  const agent = identify(Number(await scratch.appears(began)));
  running.child.kill('SIGKILL');
  await running.finished;
  if (typeof agent === 'object') await goneFrom(agent, 40_000);
  else assert.equal(agent, 'gone');
});
