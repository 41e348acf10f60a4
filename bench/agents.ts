/** Agents that speak ACP: what the bridge costs for each event, in memory, and until the agent says its first word. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acp } from '../src/agents/acp.ts';
import { settingsArgument } from '../src/agents/acp-settings.ts';
import { bridgeCommand } from '../src/agents/bridge-command.ts';
import { median, type Benchmark } from './kit/figure.ts';
import { interleaved, ms, type Command } from './kit/measure.ts';
import { metered, pieces } from './kit/metered.ts';
import { czar, quietEnvironment, repository } from './kit/scratch.ts';

const shellAgent = new URL('kit/acp-agent.sh', import.meta.url).pathname;
const nodeAgent = new URL('../test/support/acp-agent.mjs', import.meta.url).pathname;
const settings = settingsArgument({
  profile: 'any',
  resume: null,
  model: null,
  standing: null,
  tools: null,
});

/** Updates as agents send them: pieces of text, calls of tools, and how full the context is. */
function updates(count: number): string {
  const lines: string[] = [];
  for (let at = 0; at < count; at += 1) {
    const id = `call-${Math.floor(at / 4)}`;
    const command = `npm test -- --filter ${at}`;
    const kinds = [
      {
        sessionUpdate: 'agent_message_chunk',
        content: { type: 'text', text: `piece ${at} of it ` },
      },
      {
        sessionUpdate: 'tool_call',
        toolCallId: id,
        title: command,
        kind: 'execute',
        status: 'in_progress',
        rawInput: { command },
      },
      {
        sessionUpdate: 'tool_call_update',
        toolCallId: id,
        status: 'completed',
        content: [{ type: 'content', content: { type: 'text', text: `${'ok\n'.repeat(20)}` } }],
      },
      { sessionUpdate: 'usage_update', used: 1000 + at, size: 200_000 },
    ];
    const params = { sessionId: 's', update: kinds[at % 4] };
    lines.push(JSON.stringify({ jsonrpc: '2.0', method: 'session/update', params }));
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

export const agents: Benchmark = async ({ scratch, quick, say }) => {
  if (process.platform !== 'linux') throw new Error('it reads /proc');
  const count = quick ? 2_000 : 40_000;
  const rounds = quick ? 1 : 7;
  const dir = join(scratch, 'attempt');
  mkdirSync(dir);
  const env = {
    ...quietEnvironment(scratch),
    CZAR_PROMPT_FILE: join(dir, 'prompt.md'),
    CZAR_REPORT_FILE: join(dir, 'report'),
  };
  writeFileSync(env.CZAR_PROMPT_FILE, 'Do it.\n');
  const [none, some] = [join(scratch, 'none'), join(scratch, 'some')];
  writeFileSync(none, updates(0));
  writeFileSync(some, updates(count));
  const bridged = (file: string): Command => ({
    argv: [...bridgeCommand, settings, '/bin/sh', shellAgent, file],
    cwd: dir,
    env,
  });
  say('events through the bridge');
  const costs = interleaved(rounds, {
    none: bridged(none),
    some: bridged(some),
    cat: { argv: ['/bin/sh', '-c', `cat ${some} | cat`] },
    nothing: { argv: ['/bin/sh', '-c', `cat ${none} | cat`] },
  });
  const each = ((costs.some.cpuMs - costs.none.cpuMs) * 1_000) / count;
  const catEach = (Math.max(0, costs.cat.cpuMs - costs.nothing.cpuMs) * 1_000) / count;
  say('lines through the adapter');
  const read = await reading(bridged(some), dir, rounds);
  say('memory and first words');
  const still = await resting(env, dir);
  const first = await firstWords(env, dir, quick ? 1 : 15);
  const started = await startedInRun(scratch, quick ? 1 : 5);
  say('with meter: true');
  const meter = await metered(env, { rounds: quick ? 1 : 7, answers: quick ? 8 : 80 });
  return {
    title: 'Agents that speak ACP',
    method:
      `An agent of a few lines of shell sends ${count.toLocaleString('en')} updates (pieces of text, calls of tools and what came of them, how full its context is) in one turn: CPU of agent and bridge above a turn without any, beside two \`cat\` that pass on the same lines. ` +
      `The adapter’s reading of what the bridge printed, beside \`JSON.parse\` of the same lines. Resident memory of the bridge and of the shim above it while a turn is under way, beside a Node that waits. ` +
      `The first word of a scripted agent of Node: asked by the bridge, and asked by hand over the same pipe; from \`worker.started\` of \`czar run\` to the session in its log. ` +
      `An agent with \`meter: true\` and one without ask a model on this machine, whose answer is a stream of ${pieces} pieces, sent as fast as it is taken. ${rounds} rounds in turns, medians.`,
    figures: [
      {
        name: 'an update through the bridge, CPU',
        ours: `${each.toFixed(1)} µs`,
        beside: `cat ${catEach.toFixed(1)} µs`,
        value: each - catEach,
        unit: 'µs more',
      },
      {
        name: 'a line of it through the adapter, CPU',
        ours: `${read.ours.toFixed(2)} µs`,
        beside: `JSON.parse ${read.parse.toFixed(2)} µs`,
        value: read.ours - read.parse,
        unit: 'µs more',
      },
      {
        name: 'memory of the bridge',
        ours: `${still.bridge.toFixed(0)} MB`,
        beside: `a Node that waits ${still.node.toFixed(0)} MB`,
        value: still.bridge - still.node,
        unit: 'MB more',
      },
      {
        name: 'memory of the shim',
        ours: `${still.shim.toFixed(1)} MB`,
        beside: `a shell that waits ${still.shell.toFixed(1)} MB`,
        value: still.shim - still.shell,
        unit: 'MB more',
      },
      {
        name: 'first word of an agent, wall',
        ours: ms(first.bridge),
        beside: `by hand ${ms(first.hand)}`,
        value: first.bridge - first.hand,
        unit: 'ms more',
      },
      {
        name: 'worker.started to its session in the log, wall',
        ours: ms(started),
        beside: `first word by hand ${ms(first.hand)}`,
        value: started - first.hand,
        unit: 'ms more',
      },
      {
        name: 'first word of an agent with `meter: true`, wall',
        ours: ms(meter.with.firstWord),
        beside: `without ${ms(meter.without.firstWord)}`,
        value: meter.with.firstWord - meter.without.firstWord,
        unit: 'ms more',
      },
      {
        name: `a streamed answer past the meter, wall`,
        ours: ms(meter.with.answer),
        beside: `without ${ms(meter.without.answer)}`,
        value: meter.with.answer - meter.without.answer,
        unit: 'ms more',
      },
      {
        name: 'memory of the meter',
        ours: `${(meter.with.memory ?? NaN).toFixed(0)} MB`,
        beside: `a Node that waits ${still.node.toFixed(0)} MB`,
        value: (meter.with.memory ?? NaN) - still.node,
        unit: 'MB more',
      },
    ],
  };
};

/** Microseconds for a line: reading as the adapter does, and taking it apart alone. */
async function reading(command: Command, dir: string, rounds: number) {
  const [program = '', ...args] = command.argv;
  const file = join(dir, 'output');
  const child = spawn(program, args, {
    cwd: command.cwd,
    env: command.env,
    stdio: ['ignore', openSync(file, 'w'), 'ignore'],
  });
  await once(child, 'exit');
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const timed = (work: (line: string) => unknown): number => {
    const { user, system } = process.cpuUsage();
    for (const line of lines) work(line);
    const after = process.cpuUsage();
    return (after.user + after.system - user - system) / lines.length;
  };
  const ours: number[] = [];
  const parse: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(timed(acp.read));
    parse.push(timed(JSON.parse));
  }
  return { ours: median(ours), parse: median(parse) };
}

/** Megabytes while nothing happens. */
async function resting(env: NodeJS.ProcessEnv, dir: string) {
  writeFileSync(env['CZAR_PROMPT_FILE'] ?? '', '<script>\nsay hello\nhang\n</script>\n');
  const command = [...bridgeCommand, settings, process.execPath, nodeAgent];
  const bridge = await restingOf(command, env, dir, '"hello"');
  const node = await restingOf(
    [process.execPath, '-e', 'console.log("up"); setInterval(() => {}, 1e6)'],
    env,
    dir,
    'up',
  );
  const shell = await restingOf(['/bin/sh', '-c', 'echo up; read line'], env, dir, 'up');
  return { bridge, node, shell, shim: await shimOf(env) };
}

async function restingOf(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
  word: string,
): Promise<number> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'ignore'] });
  await says(child, word);
  const size = residentMb(child.pid ?? 0);
  const over = once(child, 'exit');
  child.kill('SIGTERM');
  await over;
  return size;
}

/** The shim of a live attempt. */
async function shimOf(env: NodeJS.ProcessEnv): Promise<number> {
  const { Runners } = await import('../src/process/runners.ts');
  const { startAttempt } = await import('../src/process/attempt.ts');
  const { readStatus } = await import('../src/process/status.ts');
  const { stopTree } = await import('../src/process/tree.ts');
  const home = join(env['HOME'] ?? '', 'shim');
  mkdirSync(home, { recursive: true });
  using runners = new Runners(join(home, 'shims'));
  const dir = join(home, 'a');
  await startAttempt(runners, {
    dir,
    argv: ['/bin/sleep', '600'],
    cwd: home,
    env,
    own: {},
    limits: { processes: null, memoryBytes: null },
    timeoutMs: null,
    unattendedMs: 600_000,
    graceMs: 500,
  });
  const status = readStatus(dir);
  const size = 'shim' in status && status.shim !== null ? residentMb(status.shim.pid) : NaN;
  const { attemptKey } = await import('../src/process/status.ts');
  const query = { marker: attemptKey(dir), roots: [], worktree: null, attemptDir: dir };
  await stopTree({ ...query, graceMs: 500 });
  return size;
}

function residentMb(pid: number): number {
  const [, kb = 'NaN'] =
    /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kb) / 1024;
}

/** Milliseconds until the first word: through the bridge, and asked by hand. */
async function firstWords(env: NodeJS.ProcessEnv, cwd: string, rounds: number) {
  const prompt = '<script>\nsay hello\n</script>\n';
  writeFileSync(env['CZAR_PROMPT_FILE'] ?? '', prompt);
  const hand: number[] = [];
  const bridge: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const ours = performance.now();
    const [program, ...args] = [...bridgeCommand, settings, process.execPath, nodeAgent];
    const child = spawn(program ?? '', args, { cwd, env, stdio: ['ignore', 'pipe', 'ignore'] });
    const over = once(child, 'exit');
    await says(child, '"hello"');
    bridge.push(performance.now() - ours);
    await over;

    const bare = performance.now();
    const agent = spawn(process.execPath, [nodeAgent], {
      cwd,
      env,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const ended = once(agent, 'exit');
    const send = (id: number, method: string, params: object): void =>
      void agent.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    send(0, 'initialize', { protocolVersion: 1 });
    await says(agent, '"id":0');
    send(1, 'session/new', { cwd, mcpServers: [] });
    await says(agent, '"id":1');
    send(2, 'session/prompt', { prompt: [{ type: 'text', text: prompt }] });
    await says(agent, 'hel');
    hand.push(performance.now() - bare);
    agent.stdin.end();
    await ended;
  }
  return { hand: median(hand), bridge: median(bridge) };
}

/** Resolves as soon as it has printed the word. */
async function says(child: ReturnType<typeof spawn>, word: string): Promise<void> {
  let said = '';
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
    if (said.includes(word)) resolve();
  });
  child.once('close', () => reject(new Error(`it ended without saying ${word}: ${said}`)));
  await promise;
}

/** Milliseconds between the two events. */
async function startedInRun(scratch: string, rounds: number): Promise<number> {
  const spans: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const root = join(scratch, `run-${round}`);
    const env = quietEnvironment(root);
    repository(root, env);
    mkdirSync(join(root, '.czar/workers'), { recursive: true });
    const command = JSON.stringify([process.execPath, nodeAgent]);
    writeFileSync(
      join(root, '.czar/config.yaml'),
      `agents: {default: mine, define: {mine: {adapter: acp, command: ${command}}}}\n`,
    );
    writeFileSync(join(root, '.czar/workers/a.md'), '---\n---\n<script>\nsay hello\n</script>\n');
    const child = spawn(czar, ['run', '--include-dirty'], { cwd: root, env, stdio: 'ignore' });
    await once(child, 'exit');
    const log = readFileSync(join(root, '.czar/logs/events.jsonl'), 'utf8').trim().split('\n');
    const at = (type: string): number => {
      const found = log.map((line) => JSON.parse(line)).find((event) => event.type === type);
      if (found === undefined) throw new Error(`there is no ${type} in the log`);
      return Date.parse(found.ts);
    };
    spans.push(at('attempt.session') - at('worker.started'));
  }
  return median(spans);
}
