// A stub agent: does what the test tells it over a socket, one step at a time, and nothing else. It needs no package.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, resolve } from 'node:path';

const socket = connect(process.env.STUB_SOCKET);
socket.setEncoding('utf8');
const say = (message) => socket.write(`${JSON.stringify(message)}\n`);
say({
  hello: process.env.CZAR_WORKER,
  attempt: Number(process.env.CZAR_ATTEMPT),
  run: process.env.CZAR_RUN,
  cwd: process.cwd(),
  promptFile: process.env.CZAR_PROMPT_FILE,
  pid: process.pid,
});

const steps = {
  write({ path, content }) {
    mkdirSync(dirname(resolve(path)), { recursive: true });
    writeFileSync(path, content);
  },
  commit({ message }) {
    execFileSync('git', ['add', '-A']);
    execFileSync('git', ['commit', '-q', '-m', message]);
    return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  },
  run({ argv }) {
    const done = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8' });
    return {
      code: done.status,
      stdout: done.stdout ?? '',
      stderr: done.stderr ?? String(done.error),
    };
  },
  print({ text }) {
    process.stdout.write(text);
  },
  env({ name }) {
    return process.env[name] ?? null;
  },
};

let rest = '';
socket.on('data', (chunk) => {
  rest += chunk;
  for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
    const order = JSON.parse(rest.slice(0, end));
    rest = rest.slice(end + 1);
    if (order.step === 'exit') process.exit(order.code);
    try {
      say({ ok: true, value: steps[order.step](order) ?? null });
    } catch (error) {
      say({ ok: false, error: String(error) });
    }
  }
});
// When the test is gone, so is its agent.
socket.on('close', () => process.exit(70));
socket.on('error', () => process.exit(71));
