/** An agent with `meter: true` beside one without: until its first word, for each answer, and in memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { meterWords } from '../../src/agents/metered-command.ts';
import { median } from './figure.ts';

const askingAgent = new URL('asking-agent.mjs', import.meta.url).pathname;

/** Pieces of text in one answer of the model. */
export const pieces = 200;

interface Seen {
  /** Milliseconds. */
  readonly firstWord: number;
  readonly answer: number;
  /** Of the meter, megabytes; null without one. */
  readonly memory: number | null;
}

/** Medians over rounds in turns. `env` is that of an attempt. */
export async function metered(
  env: NodeJS.ProcessEnv,
  { rounds, answers }: { readonly rounds: number; readonly answers: number },
): Promise<{ readonly with: Seen; readonly without: Seen }> {
  const { url, close } = await model();
  const seen: { readonly with: Seen[]; readonly without: Seen[] } = { with: [], without: [] };
  const agent = { ...env, ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'sk-of-a-benchmark' };
  for (let round = 0; round < rounds; round += 1) {
    seen.with.push(await one(agent, answers, true));
    seen.without.push(await one(agent, answers, false));
  }
  close();
  return { with: middle(seen.with), without: middle(seen.without) };
}

function middle(all: readonly Seen[]): Seen {
  const memory = all.flatMap((one) => one.memory ?? []);
  return {
    firstWord: median(all.map((one) => one.firstWord)),
    answer: median(all.map((one) => one.answer)),
    memory: memory.length === 0 ? null : median(memory),
  };
}

async function one(env: NodeJS.ProcessEnv, answers: number, meter: boolean): Promise<Seen> {
  const words = meter
    ? meterWords({
        name: 'asker',
        adapter: 'command',
        command: [],
        env: ['ANTHROPIC_BASE_URL'],
        meter,
      })
    : [];
  const [program, ...args] = [...words, process.execPath, askingAgent, String(answers)];
  const begun = performance.now();
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const over = once(child, 'exit');
  let said = '';
  let firstWord = NaN;
  for await (const chunk of child.stdout) {
    if (said === '') firstWord = performance.now() - begun;
    said += String(chunk);
    if (/^took .*\n/m.test(said)) break;
  }
  const memory = meter ? memoryOfMeter(child.pid ?? 0) : null;
  child.kill('SIGTERM');
  await over;
  return { firstWord, answer: Number(/^took (\S+)/m.exec(said)?.[1]), memory };
}

/** The agent's process is the last argument of its meter. */
function memoryOfMeter(pid: number): number {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const words = textOf(`/proc/${name}/cmdline`).split('\0').filter(Boolean);
    if (words.at(-1) !== String(pid) || !words.some((word) => word.endsWith('/meter.js'))) continue;
    const [, kb = 'NaN'] = /VmRSS:\s+(\d+) kB/.exec(textOf(`/proc/${name}/status`)) ?? [];
    return Number(kb) / 1024;
  }
  return NaN;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}

/** Answers every request with the same stream, as fast as it is taken. */
async function model() {
  const event = (type: string, data: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
  const usage = { input_tokens: 1000, cache_read_input_tokens: 500, output_tokens: 1 };
  const delta = { index: 0, delta: { type: 'text_delta', text: 'a piece of it ' } };
  const events = [
    event('message_start', { message: { id: 'm', model: 'claude', usage } }),
    ...Array.from({ length: pieces }, () => event('content_block_delta', delta)),
    event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 400 } }),
    event('message_stop', {}),
  ];
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const one of events) response.write(one);
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${address.port}`, close };
}
