// An agent that speaks the Agent Client Protocol and does what the script in its prompt says, line by line. Made to also
// do what real ones do at their worst: it speaks the protocol by hand, so that it can break it.
//
//   say TEXT | think TEXT | run COMMAND | edit FILE | read FILE | plan A,B,C (begun, done) | usage IN OUT CACHED
//   context USED COST | ask KIND TITLE | garbage | stop REASON | fail CODE MESSAGE | exit CODE | hang | leave
// `$ACP_AT` has a word for what it does before: hang-initialize, exit-initialize, garbage-first, no-new, login, yolo.
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const at = process.env.ACP_AT ?? '';
const seen = (line) => process.env.ACP_SEEN && appendFileSync(process.env.ACP_SEEN, `${line}\n`);
const write = (message) =>
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const waiting = new Map();
let ids = 0;
const request = (method, params) =>
  new Promise((resolve) => {
    waiting.set((ids += 1), resolve);
    write({ id: ids, method, params });
  });
const update = (body) => write({ method: 'session/update', params: { sessionId, update: body } });
let sessionId = `s-${process.pid}`;
let mode = at === 'yolo' ? 'yolo' : 'default';
let cancel = () => {};
let loggedIn = at !== 'login';

if (at === 'stubborn') setInterval(() => {}, 1e6);
if (at === 'exit-initialize') process.exit(7);
if (at === 'garbage-first')
  process.stdout.write('Welcome!\n\u0000\u0001{not json\n[1,2]\n"text"\n');
if (process.env.IS_SANDBOX) seen('IS_SANDBOX is set');
process.on('SIGTERM', () => {
  seen('SIGTERM');
  if (at !== 'stubborn') process.exit(0);
});

const modes = () => ({
  currentModeId: mode,
  availableModes: (at === 'yolo' ? ['yolo'] : ['default', 'yolo']).map((id) => ({ id, name: id })),
});

const answers = {
  initialize: () =>
    at === 'hang-initialize'
      ? new Promise(() => {})
      : {
          protocolVersion: 1,
          agentInfo: { name: 'scripted', version: '1.0.0' },
          agentCapabilities: { loadSession: true, sessionCapabilities: { resume: {} } },
          authMethods: [{ id: 'openai', name: 'a key' }],
        },
  authenticate: ({ methodId }) => {
    seen(`authenticate ${methodId}`);
    loggedIn = true;
    return {};
  },
  'session/new': ({ mcpServers }) => {
    if (at === 'no-new')
      throw { code: -32603, message: 'Internal error', data: { details: 'no room' } };
    if (!loggedIn) throw { code: -32000, message: 'Authentication required' };
    seen(
      `new ${mcpServers.map(({ command, args, env }) => `${command} ${args} ${env.map(({ name }) => name).includes('CZAR_WORKER')}`)}`,
    );
    return { sessionId, modes: modes() };
  },
  'session/resume': ({ sessionId: id }) => {
    if (at === 'forgets') throw { code: -32601, message: '"Method not found": session/resume' };
    sessionId = id;
    seen(`resume ${id}`);
    return { modes: modes() };
  },
  'session/set_mode': ({ modeId }) => {
    mode = modeId;
    seen(`mode ${modeId}`);
    return {};
  },
  async 'session/prompt'({ prompt }) {
    const cancelled = new Promise((resolve) => {
      cancel = () => resolve({ stopReason: 'cancelled' });
    });
    return Promise.race([cancelled, work(prompt[0].text)]);
  },
};

async function work(text) {
  seen(`prompt ${JSON.stringify(text)}`);
  const [, script = ''] = /<script>\n([^]*?)<\/script>/.exec(text) ?? [];
  let usage = null;
  let stopReason = 'end_turn';
  let calls = 0;
  for (const line of script.split('\n').filter((one) => one.trim() !== '')) {
    const [verb, ...words] = line.trim().split(' ');
    const rest = words.join(' ');
    const id = `call-${(calls += 1)}`;
    const tool = (kind, title, more) => ({ toolCallId: id, kind, title, ...more });
    const ask = async (call) => {
      const { result } = await request('session/request_permission', {
        sessionId,
        toolCall: { status: 'pending', ...call },
        options: [
          { optionId: 'always', name: 'Always', kind: 'allow_always' },
          { optionId: 'once', name: 'Once', kind: 'allow_once' },
          { optionId: 'no', name: 'No', kind: 'reject_once' },
        ],
      });
      seen(`answer ${result.outcome.optionId ?? result.outcome.outcome}`);
      return result.outcome.optionId === 'once' || result.outcome.optionId === 'always';
    };
    const over = (ok, text, content = []) =>
      update({
        sessionUpdate: 'tool_call_update',
        toolCallId: id,
        status: ok ? 'completed' : 'failed',
        content: [...content, { type: 'content', content: { type: 'text', text } }],
      });
    switch (verb) {
      case 'say':
      case 'think':
        for (const piece of `${rest}\n`.match(/[^]{1,3}/g))
          update({
            sessionUpdate: verb === 'say' ? 'agent_message_chunk' : 'agent_thought_chunk',
            content: { type: 'text', text: piece },
          });
        break;
      case 'run': {
        const call = tool('execute', 'Terminal', { rawInput: { command: rest } });
        update({ sessionUpdate: 'tool_call', ...call, rawInput: {}, status: 'pending' });
        if (!(mode === 'yolo' || (await ask(call)))) over(false, 'not allowed');
        else {
          const child = spawn('/bin/sh', ['-c', rest], { stdio: ['ignore', 'pipe', 'pipe'] });
          let said = '';
          child.stdout.on('data', (chunk) => (said += chunk));
          child.stderr.on('data', (chunk) => (said += chunk));
          const code = await new Promise((resolve) => child.on('close', resolve));
          over(code === 0, said);
        }
        break;
      }
      case 'edit': {
        const content = [{ type: 'diff', path: rest, oldText: null, newText: 'edited\n' }];
        if (!(
          mode === 'yolo' ||
          (await ask(tool('edit', `Edit ${rest}`, { locations: [{ path: rest }], content })))
        ))
          over(false, 'not allowed');
        else {
          writeFileSync(rest, 'edited\n');
          over(true, 'edited', content);
        }
        break;
      }
      case 'ask': {
        const [kind, ...title] = words;
        over(await ask(tool(kind, title.join(' '), {})), 'asked');
        break;
      }
      case 'plan':
        update({
          sessionUpdate: 'plan',
          entries: words.map((word) => {
            const [content, status] = word.split(':');
            return { content, priority: 'medium', status };
          }),
        });
        break;
      case 'usage': {
        const [inputTokens, outputTokens, cachedReadTokens] = words.map(Number);
        usage = { inputTokens, outputTokens, cachedReadTokens };
        break;
      }
      case 'context': {
        const [used, amount] = words.map(Number);
        update({
          sessionUpdate: 'usage_update',
          used,
          size: 1e6,
          cost: { amount, currency: 'USD' },
        });
        break;
      }
      case 'garbage':
        process.stdout.write(
          `{"jsonrpc":"2.0"\n{"method":"session/update"}\n${'x'.repeat(100_000)}\n{}\n`,
        );
        update({ sessionUpdate: 'what is this', more: 1 });
        write({ method: 'session/update', params: 7 });
        break;
      case 'flood':
        for (let left = Number(rest); left > 0; left -= 1)
          update({
            sessionUpdate: 'tool_call',
            ...tool('execute', 'x'.repeat(2000), {
              rawInput: { command: 'y'.repeat(90_000), left },
            }),
            toolCallId: `f${left}`,
          });
        break;
      case 'stop':
        stopReason = rest;
        break;
      case 'fail':
        throw { code: Number(words[0]), message: words.slice(1).join(' ') };
      case 'exit':
        process.exit(Number(rest));
        break;
      case 'hang':
        await new Promise(() => {});
        break;
      case 'leave':
        // A process in a session of its own, as shells of real agents are.
        spawn('/bin/sh', ['-c', 'sleep 600'], { detached: true, stdio: 'ignore' }).unref();
        break;
      case 'shell':
        spawnSync('/bin/sh', ['-c', rest], { stdio: 'ignore' });
        break;
      default:
        throw { code: -32602, message: `there is no ${verb}` };
    }
  }
  return { stopReason, ...(usage === null ? {} : { usage }) };
}

createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const message = JSON.parse(line);
    if (message.method === undefined) return waiting.get(message.id)?.(message);
    if (message.method === 'session/cancel') {
      seen('cancel');
      if (at !== 'deaf') cancel();
      return;
    }
    if (message.id === undefined) return;
    try {
      write({ id: message.id, result: await answers[message.method](message.params) });
    } catch (error) {
      write({ id: message.id, error: { code: -32603, message: String(error), ...error } });
    }
  })
  .on('close', () => {
    seen('input closed');
    if (at !== 'stubborn') process.exit(0);
  });
