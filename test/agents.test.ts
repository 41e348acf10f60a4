/** `czar agents`: what is here, asked of programs that stand in for the real ones. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { knownAgents } from '../src/plan/known-agents.ts';
import { agentsSchema } from '../src/report/agents-schema.ts';
import { recordedAgent } from './support/recorded-agent.ts';
import { Scratch } from './support/scratch.ts';

async function listed(scratch: Scratch) {
  const { agents } = agentsSchema.parse(await scratch.json('agents'));
  return new Map(agents.map((one) => [one.name, one]));
}

/** Without the agents that this machine may have. */
function onlyOwn(scratch: Scratch): void {
  recordedAgent(scratch, 'sh-of-the-test', 'exit 1');
  const dirs = (scratch.env['PATH'] ?? '').split(':');
  scratch.env['PATH'] = dirs
    .filter((dir) => ![...knownAgents.keys()].some((name) => existsSync(join(dir, name))))
    .join(':');
}

test('agents lists what is known, defined and named: where it is, its version, its login, what it can do, for whom it works', async () => {
  await using scratch = await Scratch.make();
  onlyOwn(scratch);
  const path = recordedAgent(scratch, 'claude', 'exit 1', {
    version: `echo '2.1.330 (Claude Code)'`,
    login: `printf '{\\n  "loggedIn": true,\\n  "email": "someone"\\n}\\n'`,
  });
  scratch.scripted('touch began');
  scratch.worker('a', 'agent: claude');
  scratch.worker('b', 'agent: unheard-of');
  scratch.worker('c');
  scratch.worker('d', 'agent: claude');
  const agents = await listed(scratch);
  assert.deepEqual([...agents.keys()], [...knownAgents.keys(), 'script', 'unheard-of'].toSorted());
  assert.deepEqual(agents.get('claude'), {
    name: 'claude',
    adapter: 'claude',
    source: 'built_in',
    default: false,
    found: true,
    path,
    problem: null,
    version: '2.1.330',
    logged_in: true,
    capabilities: {
      usage: 'turns and total',
      cost: true,
      resume: true,
      permissions: 'ask',
      mcp: 'flag',
    },
    workers: ['a', 'd'],
  });
  const codex = agents.get('codex');
  assert.deepEqual([codex?.found, codex?.problem], [false, 'codex is not on the PATH']);
  assert.match(agents.get('unheard-of')?.problem ?? '', /agents\.define\.unheard-of\.command/);
  const script = agents.get('script');
  assert.deepEqual(
    [script?.default, script?.source, script?.version, script?.workers],
    [true, 'config', null, ['c']],
  );
  // Whatever it was asked would have been work to it.
  assert.equal(existsSync(join(scratch.repo, 'began')), false);
  const { stdout, code } = await scratch.czar('agents', 'list');
  assert.equal(code, 0);
  assert.match(stdout, /^claude 2\.1\.330: adapter claude, logged in\n {2}\/.*\/claude\n/m);
  assert.match(stdout, /^codex: not found, adapter codex\n {2}codex is not on the PATH$/m);
  assert.match(stdout, /^script \(default\): adapter command$/m);
  assert.doesNotMatch(stdout, /someone/);
});

test('a program that does not answer, says nonsense, or steers the terminal holds up and harms nothing', async () => {
  await using scratch = await Scratch.make();
  onlyOwn(scratch);
  recordedAgent(scratch, 'claude', 'exit 1', {
    version: `printf '\\033]0;title\\007\\033[2Jv1.2.3\\033[31m\\n'; yes no | head -c 300000`,
    login: 'echo certainly',
  });
  recordedAgent(scratch, 'codex', 'exit 1', {
    version: 'exec sleep 600',
    login: 'echo "Not logged in" >&2; exit 1',
  });
  const agents = await listed(scratch);
  // Of what it said only the last part is read, and the word is at its beginning.
  assert.deepEqual([agents.get('claude')?.version, agents.get('claude')?.logged_in], [null, null]);
  assert.equal(agents.get('codex')?.problem, 'it did not say its version in time');
  assert.equal(agents.get('codex')?.logged_in, false);
  recordedAgent(scratch, 'claude', 'exit 1', {
    version: `printf '\\033]0;title\\007\\033[2Jv1.2.3\\033[31m\\n'`,
  });
  recordedAgent(scratch, 'codex', 'exit 1', {
    version: 'echo codex-cli 0.169.0',
    login: 'echo "Not logged in" >&2; exit 1',
  });
  scratch.env['CODEX_API_KEY'] = 'key';
  const again = await listed(scratch);
  assert.equal(again.get('claude')?.version, '1.2.3');
  // Its own command does not look at the variable.
  assert.equal(again.get('codex')?.logged_in, null);
});

test('agents lists what it can of a plan with errors', async () => {
  await using scratch = await Scratch.make();
  onlyOwn(scratch);
  scratch.worker('a', 'dependencies: [nobody]\nagent: claude');
  const { code, stdout, stderr } = await scratch.czar('agents');
  assert.equal(code, 0);
  assert.match(stderr, /The plan has errors \(czar validate\)/);
  assert.match(stdout, /^claude \(default\): not found, adapter claude$/m);
});
