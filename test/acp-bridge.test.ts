/** The bridge to agents that speak the Agent Client Protocol, with an agent that does as it is told, also its worst. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { acp } from '../src/agents/acp.ts';
import { settingsArgument, type BridgeSettings } from '../src/agents/acp-settings.ts';
import type { Judgement } from '../src/core/events.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'czar-acp-')));
after(() => rmSync(base, { recursive: true, force: true }));
const bridge = join(import.meta.dirname, '../dist/cli/acp.js');
const agent = join(import.meta.dirname, 'support/acp-agent.mjs');

interface Talk {
  readonly code: number | null;
  readonly lines: readonly Record<string, any>[];
  readonly errors: string;
  /** What the agent saw. */
  readonly seen: readonly string[];
  readonly judgement: Judgement;
  readonly tree: string;
}

interface Options {
  readonly at?: string;
  readonly policy?: 'edit' | 'work' | 'full';
  readonly allow?: readonly string[];
  readonly settings?: Partial<BridgeSettings>;
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  /** What it may do is not to be read. */
  readonly unreadable?: boolean;
  /** Signals the bridge as soon as its output or what the agent saw holds the text. */
  readonly when?: { readonly text: string; readonly signal: NodeJS.Signals };
}

let count = 0;

async function talk(script: string, options: Options = {}): Promise<Talk> {
  const { at = '', policy = 'work', allow = ['echo *', 'git *'], settings = {}, when } = options;
  const dir = join(base, String((count += 1)));
  const tree = join(dir, 'tree');
  mkdirSync(tree, { recursive: true });
  const file = (name: string): string => join(dir, name);
  if (options.unreadable !== true)
    writeFileSync(file('permissions.json'), JSON.stringify({ policy, allow, tree, afterMs: 0 }));
  writeFileSync(file('prompt.md'), `Do this.\n<script>\n${script}\n</script>\n`);
  writeFileSync(file('seen'), '');
  const argument = settingsArgument({
    profile: 'qwen',
    resume: null,
    model: null,
    standing: null,
    tools: { command: '/bin/czar', args: ['mcp'] },
    ...settings,
  });
  const command = options.command ?? [process.execPath, agent];
  const child = spawn(process.execPath, [bridge, argument, ...command], {
    cwd: tree,
    env: {
      PATH: process.env['PATH'],
      CZAR_WORKER: 'a',
      CZAR_PROMPT_FILE: file('prompt.md'),
      CZAR_REPORT_FILE: file('report'),
      ACP_AT: at,
      ACP_SEEN: file('seen'),
      ...options.env,
    },
    stdio: ['ignore', openSync(file('output'), 'w'), openSync(file('errors'), 'w')],
  });
  const exited = once(child, 'exit');
  const text = (name: string): string => readFileSync(file(name), 'utf8');
  if (when !== undefined) {
    const { watchFolder } = await import('../src/process/changes.ts');
    const there = Promise.withResolvers<void>();
    const look = (): void => {
      if (text('output').includes(when.text) || text('seen').includes(when.text)) there.resolve();
    };
    using _ = watchFolder(dir, 20, look);
    await Promise.race([there.promise, exited]);
    child.kill(when.signal);
  }
  const [code] = await exited;
  const output = text('output')
    .split('\n')
    .filter((line) => line !== '');
  const end = { how: 'exited', code: code ?? 1 } as const;
  const limits = { processes: null, memoryBytes: null };
  return {
    code,
    tree,
    lines: output.map((line) => JSON.parse(line)),
    errors: text('errors'),
    seen: text('seen').trim().split('\n'),
    judgement: acp.judge({ end, output, lastWords: [], limits, now: 0 }),
  };
}

const of = (talked: Talk, type: string) => talked.lines.filter((line) => line['type'] === type);

test('a turn is told whole: session, words by lines, tools with arguments and result, changes, tasks, usage, its end', async () => {
  const talked = await talk(
    `think about it
say first line
run echo hello
edit made.txt
plan one:in_progress two:pending
plan one:completed two:in_progress
context 1000 0
context 1500 0.25
usage 2100 81 500
say done`,
    { settings: { profile: 'claude-agent-acp' } },
  );
  assert.equal(talked.code, 0, talked.errors);
  assert.deepEqual(talked.judgement, { kind: 'well' });
  assert.deepEqual(of(talked, 'agent')[0], {
    type: 'agent',
    name: 'scripted',
    version: '1.0.0',
    protocol: 1,
  });
  assert.match(of(talked, 'session')[0]?.['id'], /^s-\d+$/);
  assert.deepEqual(
    of(talked, 'text').map(({ text }) => text),
    ['first line', 'done'],
  );
  assert.deepEqual(
    of(talked, 'thought').map(({ text }) => text),
    ['about it'],
  );
  const [run, edit] = of(talked, 'tool');
  assert.deepEqual([run?.['kind'], run?.['input']], ['execute', { command: 'echo hello' }]);
  assert.deepEqual(edit?.['paths'], ['made.txt']);
  const [ran, edited] = of(talked, 'result');
  assert.deepEqual([ran?.['ok'], ran?.['text']], [true, 'hello\n']);
  assert.deepEqual(edited?.['diffs'], [{ path: 'made.txt', old: null, new: 'edited\n' }]);
  assert.equal(readFileSync(join(talked.tree, 'made.txt'), 'utf8'), 'edited\n');
  assert.deepEqual(
    of(talked, 'plan').map(({ started, completed }) => [started, completed]),
    [
      [['one'], []],
      [['two'], ['one']],
    ],
  );
  assert.deepEqual(
    of(talked, 'usage').map(({ input, output, cached, cost_usd: cost }) => [
      input,
      output,
      cached,
      cost,
    ]),
    [
      [500, 0, 0, 0.25],
      [2100, 81, 500, 0.25],
    ],
  );
  assert.deepEqual(talked.lines.at(-1), { type: 'end', stop: 'end_turn' });
  assert.ok(talked.seen.includes('new /bin/czar mcp true'), talked.seen.join());
});

test('the policy answers what is asked, once each time; what it denies is told with the exact command', async () => {
  const script =
    'run echo yes\nrun touch no\nedit in.txt\nedit ../out.txt\nask other czar__checkpoint\nask fetch a page';
  const work = await talk(script);
  assert.deepEqual(
    work.seen.filter((line) => line.startsWith('answer')),
    ['answer once', 'answer no', 'answer once', 'answer no', 'answer once', 'answer no'],
  );
  const denied = of(work, 'permission').filter(({ decision }) => decision === 'deny');
  assert.deepEqual(
    denied.map(({ about }) => about),
    ['touch no', join(work.tree, '../out.txt'), 'a page'],
  );
  const said = work.lines.flatMap((line) => acp.read(JSON.stringify(line)));
  assert.equal(said.filter((one) => 'kind' in one && one.kind === 'denied').length, 3);
  const edit = await talk(script, { policy: 'edit' });
  assert.deepEqual(
    edit.seen.filter((line) => line.startsWith('answer')),
    ['answer no', 'answer no', 'answer once', 'answer no', 'answer once', 'answer no'],
  );
  assert.deepEqual(
    edit.seen.filter((line) => line.startsWith('mode')),
    [],
  );
});

test('only with full is a mode set that asks nothing; an agent that has no other is refused', async () => {
  const full = await talk('run touch yes', { policy: 'full' });
  assert.deepEqual(
    full.seen.filter((line) => /^(mode|answer)/.test(line)),
    ['mode yolo'],
  );
  assert.equal(full.code, 0);
  const refused = await talk('run touch no', { at: 'yolo' });
  assert.equal(refused.code, 1);
  assert.ok(
    refused.judgement.kind === 'failed' && refused.judgement.final,
    JSON.stringify(refused.judgement),
  );
  assert.match(refused.judgement.reason, /no mode for the permissions work: it has yolo/);
  assert.deepEqual(
    refused.seen.filter((line) => line.startsWith('prompt')),
    [],
  );
});

test('when what it may do cannot be read it may run nothing', async () => {
  const talked = await talk('run echo hello\nedit in.txt', { policy: 'full', unreadable: true });
  assert.deepEqual(
    talked.seen.filter((line) => line.startsWith('answer')),
    ['answer no', 'answer once'],
  );
});

test('IS_SANDBOX never reaches an agent', async () => {
  const { seen } = await talk('say hello', { env: { IS_SANDBOX: 'yes' } });
  assert.ok(!seen.includes('IS_SANDBOX is set'));
});

test('a session goes on with what is new; one that is forgotten begins anew with the whole prompt, and that is told', async () => {
  const resume = { session: 'before', message: 'go on <script>\nsay again\n</script>' };
  const kept = await talk('say first', { settings: { resume } });
  assert.ok(kept.seen.includes('resume before'));
  assert.deepEqual(of(kept, 'session'), [{ type: 'session', id: 'before', how: 'goes on' }]);
  assert.deepEqual(
    of(kept, 'text').map(({ text }) => text),
    ['again'],
  );
  const lost = await talk('say first', { at: 'forgets', settings: { resume } });
  assert.equal(lost.code, 0, lost.errors);
  assert.match(of(lost, 'trouble')[0]?.['message'], /a new one begins: .*Method not found/);
  assert.match(of(lost, 'session')[0]?.['id'], /^s-/);
  assert.deepEqual(
    of(lost, 'text').map(({ text }) => text),
    ['first'],
  );
});

test('a login that needs nothing but a key that is there is made; without one the failure is final', async () => {
  const made = await talk('say in', { at: 'login', env: { OPENAI_API_KEY: 'x' } });
  assert.ok(made.seen.includes('authenticate openai'));
  assert.equal(made.code, 0);
  const out = await talk('say in', { at: 'login' });
  assert.equal(out.code, 1);
  assert.ok(out.judgement.kind === 'failed' && out.judgement.final, JSON.stringify(out.judgement));
});

test('an agent that prints garbage before and between its messages is understood all the same', async () => {
  const talked = await talk('say before\ngarbage\nsay after', { at: 'garbage-first' });
  assert.equal(talked.code, 0, talked.errors);
  assert.deepEqual(
    of(talked, 'text').map(({ text }) => text),
    ['before', 'after'],
  );
  assert.match(talked.errors, /Welcome!/);
});

test('what an agent tells at great length is cut, so that each line can be read whole', async () => {
  const talked = await talk('flood 40\nsay done');
  assert.equal(talked.code, 0);
  assert.equal(of(talked, 'tool').length, 40);
  for (const line of talked.lines) assert.ok(JSON.stringify(line).length < 1024 * 1024);
});

test('an agent that ends early, at any stage, has failed, and what it ended with is told', async () => {
  const first = await talk('say hi', { at: 'exit-initialize' });
  assert.equal(first.code, 1);
  assert.deepEqual(
    [first.judgement.kind, first.lines.at(-1)?.['at'], first.lines.at(-1)?.['message']],
    ['failed', 'initialize', 'it ended with exit code 7 in the middle'],
  );
  const middle = await talk('say hi\nexit 3');
  assert.equal(middle.code, 1);
  assert.deepEqual(
    of(middle, 'text').map(({ text }) => text),
    ['hi'],
  );
  assert.match(middle.lines.at(-1)?.['message'], /exit code 3/);
  const session = await talk('say hi', { at: 'no-new' });
  assert.deepEqual([session.code, session.lines.at(-1)?.['message']], [1, 'no room']);
});

test('a program that is not there, or speaks otherwise, has failed; the first for good', async () => {
  const none = await talk('say hi', { command: ['/does/not/exist'] });
  assert.equal(none.code, 127);
  assert.ok(none.judgement.kind === 'failed' && none.judgement.final);
  const other = await talk('say hi', {
    command: ['/bin/sh', '-c', 'echo "I do not know --acp"; exit 2'],
  });
  assert.equal(other.code, 1);
  assert.ok(other.judgement.kind === 'failed' && !other.judgement.final);
  assert.match(other.errors, /I do not know --acp/);
});

test('an agent that hangs before it is greeted is given up and not left behind', async () => {
  const talked = await talk('say hi', { at: 'hang-initialize', settings: { patienceMs: 3_000 } });
  assert.equal(talked.code, 1);
  assert.match(talked.lines.at(-1)?.['message'], /did not answer within/);
  assert.ok(
    talked.seen.includes('SIGTERM') || talked.seen.includes('input closed'),
    talked.seen.join(),
  );
});

test('told to end, it cancels the turn first, then closes the input, and the agent is gone', async () => {
  const script = 'say begun\nrun echo hello; sleep 300';
  const talked = await talk(script, {
    policy: 'full',
    settings: { profile: 'any' },
    when: { text: 'begun', signal: 'SIGTERM' },
  });
  assert.equal(talked.code, 143);
  assert.deepEqual(talked.lines.at(-1), { type: 'end', stop: 'cancelled' });
  const order = talked.seen.filter((line) => /^(cancel|input closed|SIGTERM)/.test(line));
  assert.deepEqual(order.slice(0, 2), ['cancel', 'input closed']);
});

test('told to end, an agent that hears nothing is ended all the same', async () => {
  const talked = await talk('say begun\nhang', {
    at: 'deaf',
    when: { text: 'begun', signal: 'SIGTERM' },
  });
  assert.equal(talked.code, 143);
  const stubborn = await talk('say begun\nhang', {
    at: 'stubborn',
    when: { text: 'begun', signal: 'SIGINT' },
  });
  assert.equal(stubborn.code, 130);
  assert.ok(stubborn.seen.includes('SIGTERM'));
});

test('what its provider answered decides what its failure means', async () => {
  const cases = [
    ['fail -32000 Authentication required', 'failed', true],
    ['fail -32603 401 no such key', 'failed', true],
    ['fail 429 {"error":{"message":"too much"}}', 'quota', null],
    ['fail -32603 Internal error: API Error: 500 nothing works', 'failed', false],
    ['stop refusal', 'failed', false],
    ['stop max_tokens', 'failed', false],
  ] as const;
  for (const [script, kind, final] of cases) {
    const { judgement, code } = await talk(script);
    assert.equal(code, 1, script);
    assert.equal(judgement.kind, kind, `${script}: ${JSON.stringify(judgement)}`);
    if (judgement.kind === 'failed') assert.equal(judgement.final, final, script);
  }
});
