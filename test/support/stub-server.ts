/** The test's side of the stub agents: waits for one to come up, and tells it what to do next. */
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** A running stub agent that does one step at a time. */
export interface StubAgent {
  readonly worker: string;
  readonly attempt: number;
  readonly cwd: string;
  readonly promptFile: string;
  readonly pid: number;
  write(path: string, content: string): Promise<void>;
  /** Commits everything; gives the commit id. */
  commit(message: string): Promise<string>;
  run(
    ...argv: readonly string[]
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  print(text: string): Promise<void>;
  env(name: string): Promise<string | null>;
  exit(code?: number): void;
  /** Resolves when its process is gone. */
  readonly gone: Promise<void>;
}

interface Hello {
  readonly hello: string;
  readonly attempt: number;
  readonly run: string;
  readonly cwd: string;
  readonly promptFile: string;
  readonly pid: number;
}

/** How long a test waits for an agent that must come up, milliseconds. */
const patienceMs = 40_000;

export class StubServer {
  readonly #server: Server;
  readonly path: string;
  readonly #waiting = new Map<string, (agent: StubAgent) => void>();
  readonly #arrived = new Map<string, StubAgent>();
  readonly #sockets = new Set<Socket>();
  /** Every agent that ever came up, as `worker/attempt`. */
  readonly launches: string[] = [];

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.path = path;
    server.on('connection', (socket) => this.#welcome(socket));
  }

  /** Listens in the folder given. */
  static async listen(folder: string): Promise<StubServer> {
    const path = join(folder, 'stub.sock');
    const server = createServer();
    const stub = new StubServer(server, path);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return stub;
  }

  /** The agent of the worker's attempt, as soon as it is up. */
  async agent(worker: string, attempt = 1): Promise<StubAgent> {
    const key = `${worker}/${attempt}`;
    const here = this.#arrived.get(key);
    if (here !== undefined) return here;
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`no agent ${key} came up; there were ${this.launches.join(', ')}`)),
        patienceMs,
      );
      this.#waiting.set(key, (agent) => {
        clearTimeout(late);
        resolve(agent);
      });
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #welcome(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setEncoding('utf8');
    // One listener for each step that is waited for.
    socket.setMaxListeners(0);
    socket.on('error', () => {});
    const lines: string[] = [];
    const readers: ((line: string) => void)[] = [];
    let rest = '';
    socket.on('data', (chunk) => {
      rest += String(chunk);
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 1);
        const reader = readers.shift();
        if (reader === undefined) lines.push(line);
        else reader(line);
      }
    });
    const next = async (): Promise<string> =>
      new Promise((resolve, reject) => {
        const line = lines.shift();
        if (line !== undefined) resolve(line);
        else {
          const ended = (): void => reject(new Error('the stub agent ended'));
          socket.once('close', ended);
          readers.push((read) => {
            socket.off('close', ended);
            resolve(read);
          });
        }
      });
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    next().then(
      (line) => this.#introduce(JSON.parse(line) as Hello, socket, next, gone),
      () => {},
    );
  }

  #introduce(hello: Hello, socket: Socket, next: () => Promise<string>, gone: Promise<void>): void {
    const step = async (order: object): Promise<unknown> => {
      socket.write(`${JSON.stringify(order)}\n`);
      const reply = JSON.parse(await next()) as { ok: boolean; value: unknown; error?: string };
      if (!reply.ok) throw new Error(reply.error);
      return reply.value;
    };
    const agent: StubAgent = {
      worker: hello.hello,
      attempt: hello.attempt,
      cwd: hello.cwd,
      promptFile: hello.promptFile,
      pid: hello.pid,
      gone,
      async write(path, content) {
        await step({ step: 'write', path, content });
      },
      async commit(message) {
        return String(await step({ step: 'commit', message }));
      },
      async run(...argv) {
        return (await step({ step: 'run', argv })) as {
          code: number;
          stdout: string;
          stderr: string;
        };
      },
      async print(text) {
        await step({ step: 'print', text });
      },
      async env(name) {
        return (await step({ step: 'env', name })) as string | null;
      },
      exit(code = 0) {
        socket.write(`${JSON.stringify({ step: 'exit', code })}\n`);
      },
    };
    const key = `${agent.worker}/${agent.attempt}`;
    this.launches.push(key);
    this.#arrived.set(key, agent);
    this.#waiting.get(key)?.(agent);
    this.#waiting.delete(key);
  }
}
