/** The tools of czar as a running agent has them: a client that speaks the protocol, inside attempts of real runs. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

/** Calls tools one after another and writes down what came; its argument is a list of names and arguments. */
const client = `
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { writeFileSync } from 'node:fs';
const [flags, calls] = process.argv.slice(2).map((text) => JSON.parse(text));
const server = spawn('czar', ['mcp', ...flags], { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
let id = 0;
async function ask(method, params) {
  server.stdin.write(JSON.stringify({ jsonrpc: '2.0', id: (id += 1), method, params }) + '\\n');
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error('it ended');
    const message = JSON.parse(value);
    if (message.id === id) return message.result ?? message.error;
  }
}
const clientInfo = { name: 'test', version: '1' };
await ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo });
server.stdin.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }) + '\\n');
const { tools } = await ask('tools/list', {});
const results = [];
for (const [name, args] of calls) results.push(await ask('tools/call', { name, arguments: args }));
const said = { tools, results };
const ended = new Promise((resolve) => server.once('exit', resolve));
server.stdin.end();
said.exit = await ended;
writeFileSync(process.env.HOME + '/' + process.env.CZAR_WORKER + '.json', JSON.stringify(said));
`;

type Call = readonly [name: string, args: Readonly<Record<string, unknown>>];

interface Said {
  readonly tools: readonly {
    readonly name: string;
    readonly inputSchema: { readonly type: string };
  }[];
  readonly results: readonly {
    readonly content?: readonly { readonly text: string }[];
    readonly isError?: boolean;
  }[];
  readonly exit: number;
}

/** A repository whose workers call these tools. */
async function calling(
  calls: Readonly<Record<string, readonly Call[]>>,
  {
    flags = [],
    config = '',
  }: { readonly flags?: readonly string[]; readonly config?: string } = {},
): Promise<Scratch> {
  const scratch = await Scratch.make();
  const file = join(scratch.base, 'client.mjs');
  writeFileSync(file, client);
  const cases = Object.entries(calls).map(
    ([id, list]) =>
      `${id}) '${process.execPath}' '${file}' '${JSON.stringify(flags)}' '${JSON.stringify(list)}' ;;`,
  );
  scratch.scripted(`case $CZAR_WORKER in ${cases.join('\n')} esac\n`, config);
  return scratch;
}

function said(scratch: Scratch, worker: string): Said {
  return JSON.parse(readFileSync(join(scratch.base, `home/${worker}.json`), 'utf8'));
}

const textOf = ({ results }: Said, at: number): string => results[at]?.content?.[0]?.text ?? '';

test('the tools say what czar emit says, once and numbered, and refuse what it refuses', async () => {
  const big = 'x'.repeat(70_000);
  await using scratch = await calling({
    a: [
      ['task_start', { task: 'write it' }],
      ['checkpoint', { name: '--half' }],
      ['task_complete', { task: 'write it' }],
      ['usage', { input_tokens: 100, output_tokens: 20, cost_usd: 0.5 }],
      ['handoff', { text: 'mind the gap' }],
      ['checkpoint', { name: '' }],
      ['checkpoint', { name: '  ' }],
      ['usage', {}],
      ['merge', {}],
      ['read_handoff', { worker: 'b' }],
      ['list_dependencies', {}],
    ],
    b: [
      ['list_dependencies', {}],
      ['read_handoff', { worker: 'a' }],
      ['handoff', { text: big }],
    ],
  });
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [{on: a, kind: knowledge}]');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  const a = said(scratch, 'a');
  assert.deepEqual(
    a.tools.map(({ name }) => name),
    'task_start task_complete checkpoint blocked ask usage handoff list_dependencies read_handoff'.split(
      ' ',
    ),
  );
  assert.ok(a.tools.every(({ inputSchema }) => inputSchema.type === 'object'));
  const refused = a.results.map(
    ({ content, isError }) => content === undefined || isError === true,
  );
  assert.deepEqual(
    refused.map((one) => (one ? 'no' : 'yes')).join(' '),
    'yes yes yes yes yes no no no no no yes',
  );
  assert.equal(textOf(a, 10), '[]');
  assert.equal(a.exit, 0, 'it ends with its input');
  const b = said(scratch, 'b');
  assert.deepEqual(JSON.parse(textOf(b, 0)), [
    {
      id: 'a',
      kind: 'knowledge',
      requires: 'complete',
      state: 'complete',
      role: null,
      handoff: true,
    },
  ]);
  assert.equal(textOf(b, 1), 'mind the gap');
  assert.deepEqual([b.results[2]?.isError, /70000 bytes/.test(textOf(b, 2))], [true, true]);
  const log = scratch.log();
  assert.equal(only(log, 'worker.checkpoint', 'a').data.name, '--half');
  assert.equal(only(log, 'worker.task_completed', 'a').data.task, 'write it');
  assert.equal(only(log, 'worker.handoff', 'a').data.text, 'mind the gap');
  assert.equal(only(log, 'worker.usage', 'a').data.costUsd, 0.5);
  assert.equal(all(log, 'worker.report_refused').length, 0, 'what is refused is not written');
});

test('a question with a wait is answered in place, and one without ends the turn', async () => {
  await using scratch = await calling({
    a: [['ask', { question: 'which?', wait: '5m' }]],
    b: [['ask', { question: 'where?' }]],
    c: [['ask', { question: 'when?', wait: '20ms' }]],
    d: [['ask', { question: 'how?', wait: 'soon' }]],
  });
  for (const id of ['a', 'b', 'c', 'd']) scratch.worker(id);
  scratch.commitAll();
  const run = scratch.start('run');
  await scratch.happened('worker.asked', 'a');
  assert.equal((await scratch.czar('answer', 'a', 'that', 'one')).code, 0);
  assert.equal((await run.finished).code, 5, 'b is blocked by its question');
  assert.equal(textOf(said(scratch, 'a'), 0), 'that one');
  assert.match(textOf(said(scratch, 'b'), 0), /End your turn now/);
  assert.match(textOf(said(scratch, 'c'), 0), /nobody answered in time/);
  assert.match(textOf(said(scratch, 'd'), 0), /--wait needs a span/);
  const { workers } = await scratch.json('status');
  assert.deepEqual(
    workers.map((one: any) => one.state),
    ['complete', 'blocked', 'complete', 'complete'],
  );
});

test('the permission tool settles by policy, and asks a person for the rest, in the words of Claude Code', async () => {
  const bash = (command: string): Call => [
    'approve',
    { tool_name: 'Bash', input: { command, timeout: 5 }, tool_use_id: 'toolu_1' },
  ];
  const write: Call = ['approve', { tool_name: 'Write', input: { file_path: '.git/config' } }];
  await using scratch = await calling(
    { a: [bash('git log'), write, bash('curl x'), bash('rm -r y')] },
    { flags: ['--permissions'] },
  );
  scratch.worker('a');
  scratch.commitAll();
  const run = scratch.start('run');
  await run.seen('a/p1 waits for permission: curl x');
  assert.equal((await scratch.czar('approve', 'a/p1')).code, 0);
  await run.seen('a/p2 waits for permission: rm -r y');
  assert.equal((await scratch.czar('deny', '--all', '-m', 'keep it')).code, 0);
  assert.equal((await run.finished).code, 0);
  const a = said(scratch, 'a');
  assert.ok(a.tools.some(({ name }) => name === 'approve'));
  const answers = a.results.map((_, at) => JSON.parse(textOf(a, at)));
  assert.deepEqual(answers[0], {
    behavior: 'allow',
    updatedInput: { command: 'git log', timeout: 5 },
  });
  assert.equal(answers[1].behavior, 'deny');
  assert.equal(answers[2].behavior, 'allow');
  assert.deepEqual(answers[3], { behavior: 'deny', message: 'keep it' });
});

test('outside an attempt, and when it is gone, there are no tools', async () => {
  await using scratch = await Scratch.make();
  assert.deepEqual([(await scratch.czar('mcp')).code, (await scratch.czar('mcp')).stdout], [4, '']);
  scratch.env['CZAR_REPORT_FILE'] = join(scratch.base, 'gone/report');
  const gone = await scratch.czar('mcp');
  assert.equal(gone.code, 4);
  assert.match(gone.stderr, /the attempt is gone/);
});
