/**
 * A scratch repository with a home of its own, and the built CLI run in it as a user runs it. Hermetic: own HOME, no
 * git configuration of the machine, nothing of this process's environment but PATH.
 *
 * Invariant (S13): what the test does with `git`, `write` and the like is the user's doing; whatever else changes in the
 * checkout, its index, configuration, hooks or refs fails the test, at the next such step or at the end. Verbs that are
 * there to change them (`land`, …) may when they end well. At the end no commit of an agent is out of reach (S1).
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { ProcessIdentity } from '../../src/core/events.ts';
import { copyFirst, putBack, setAside, shareCompiled, type Made } from './beginnings.ts';
import { fingerprint } from './git-fixture.ts';
import { assertNothingLost } from './nothing-lost.ts';
import { StubServer } from './stub-server.ts';
import { daemonIn, goneFrom, startedThrough, usually, type Through } from './through.ts';

const launcher = join(import.meta.dirname, '../../bin/czar');
const stubAgent = join(import.meta.dirname, 'stub-agent.mjs');

/** How long a test waits for something that must come, milliseconds. */
const patienceMs = Number(process.env['CZAR_TEST_PATIENCE_MS'] ?? 40_000);

/** Verbs that change the checkout or its branches when they end well, and only then. */
const changing = new Set(['land', 'init', 'add', 'worker', 'kept', 'closeout', 'report']);

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `czar` process that goes on. */
export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when stderr or stdout so far contains the text. */
  seen(text: string): Promise<void>;
}

export class Scratch implements AsyncDisposable {
  readonly base: string;
  repo: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stubs: StubServer;
  /** The czar that is started. */
  launcher = launcher;
  readonly through: Through;
  readonly #running = new Set<ChildProcess>();
  readonly #allowed = { refs: ['refs/heads/czar/'], files: [] as string[] };
  #killed = false;
  #discarded = false;
  #print: Readonly<Record<string, string>> | null = null;

  private constructor(base: string, folder: string, stubs: StubServer, through: Through) {
    this.base = base;
    this.through = through;
    this.repo = join(base, folder);
    this.stubs = stubs;
    this.env = {
      PATH: process.env['PATH'],
      HOME: join(base, 'home'),
      XDG_CACHE_HOME: join(base, 'cache'),
      XDG_RUNTIME_DIR: join(base, 'rt'),
      GIT_CONFIG_NOSYSTEM: '1',
      LANG: 'C.UTF-8',
      STUB_SOCKET: stubs.path,
    };
  }

  /**
   * A repository with one commit: `README.md`, on branch `main`. Or what `repository` makes at `repo`, which is `folder`
   * in the scratch folder. The scratch folder is made in `within`.
   */
  static async make({
    folder = 'repo',
    repository = plain,
    within = tmpdir(),
    through = usually,
  }: {
    folder?: string;
    within?: string;
    through?: Through;
    repository?: (scratch: Scratch) => void;
  } = {}): Promise<Scratch> {
    const base = realpathSync(mkdtempSync(join(within, 'czar-')));
    const scratch = new Scratch(base, folder, await StubServer.listen(base), through);
    for (const each of ['home', 'cache', 'rt']) mkdirSync(join(base, each), { mode: 0o700 });
    shareCompiled(join(base, 'cache'));
    try {
      repository(scratch);
    } catch (error) {
      await scratch.stubs.close();
      throw error;
    }
    return scratch;
  }

  /** The repository as it was when it was kept, in the same place: the one before it must be gone. */
  static async again({ copy, folder, through, allowed }: Made): Promise<Scratch> {
    const base = putBack(copy);
    const scratch = new Scratch(base, folder, await StubServer.listen(base), through);
    scratch.allow(allowed);
    return scratch;
  }

  /** Keeps a copy of it as it is now, when nothing runs in it. */
  keep(): Made {
    assert.equal(this.#running.size, 0, 'something runs in what is to be kept');
    const { base, repo, through } = this;
    const allowed = { refs: [...this.#allowed.refs], files: [...this.#allowed.files] };
    return { copy: setAside(base), folder: relative(base, repo), through, allowed };
  }

  /** Lets czar change these refs, files, or prefixes that end with a slash, beside the branches below `czar/`. */
  allow({ refs = [], files = [] }: { refs?: readonly string[]; files?: readonly string[] }): void {
    this.acting(() => {
      this.#allowed.refs.push(...refs);
      this.#allowed.files.push(...files);
    });
  }

  /** The user has asked for work to be deleted: what is gone at the end is not looked at. */
  discards(): void {
    this.#discarded = true;
  }

  /** The user moves the whole repository to another folder of the scratch folder. */
  move(folder: string): void {
    this.acting(() => {
      const to = join(this.base, folder);
      mkdirSync(dirname(to), { recursive: true });
      renameSync(this.repo, to);
      this.repo = to;
    });
  }

  /** The user does something in the checkout: before it, it must be as the user left it. */
  acting<T>(act: () => T): T {
    this.assertUntouched();
    const done = act();
    this.#print = this.#fingerprint();
    return done;
  }

  /** Fails when something of the user's has changed since the user's last step. */
  assertUntouched(): void {
    if (this.#print === null) return;
    assert.deepEqual(this.#fingerprint(), this.#print, 'czar changed the checkout of the user');
  }

  #fingerprint(): Readonly<Record<string, string>> {
    return fingerprint(this.repo, this.#allowed);
  }

  /** Runs git in the repository as the user and gives its output without the last newline. */
  git(...args: readonly string[]): string {
    return this.acting(() => this.gitIn(this.repo, ...args));
  }

  /** Runs git in any folder. A question alone (`status`) changes nothing and runs no hook. */
  gitIn(folder: string, ...args: readonly string[]): string {
    return execFileSync('git', args, {
      cwd: folder,
      env: { ...this.env, GIT_OPTIONAL_LOCKS: '0' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).replace(/\n$/, '');
  }

  /** Writes a file of the repository, with its folders. */
  write(path: string, content: string): void {
    const file = join(this.repo, path);
    this.acting(() => {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    });
  }

  /** A worker file with YAML front matter. */
  worker(id: string, yaml = '', body = ''): void {
    this.write(
      `.czar/workers/${id}.md`,
      `---\n${yaml}${yaml === '' || yaml.endsWith('\n') ? '' : '\n'}---\n${body}`,
    );
  }

  /** Configuration whose default agent is the stub that the test steps, with more YAML below. */
  config(yaml = ''): void {
    this.write(
      '.czar/config.yaml',
      `agents:\n  default: stub\n  define:\n    stub: {adapter: command, command: ["node", ${JSON.stringify(stubAgent)}], env: [STUB_SOCKET]}\n${settings(yaml)}`,
    );
  }

  /** Configuration whose default agent is a shell script of the test, with more YAML below. */
  scripted(script: string, yaml = ''): void {
    this.write('.czar/agent.sh', script);
    this.write(
      '.czar/config.yaml',
      `agents:\n  default: script\n  define:\n    script: {adapter: command, command: ["/bin/sh", ${JSON.stringify(join(this.repo, '.czar/agent.sh'))}]}\n${settings(yaml)}`,
    );
  }

  /** Commits the home, so that the checkout is clean. */
  commitAll(message = 'plan'): void {
    this.git('add', '-A');
    this.git('commit', '-q', '-m', message);
  }

  /** Runs czar to its end. */
  async czar(...args: readonly string[]): Promise<Finished> {
    return this.start(...args).finished;
  }

  /** Runs czar with `--json` and gives the document. */
  async json(...args: readonly string[]): Promise<any> {
    const { stdout, stderr, code } = await this.czar(...args, '--json');
    if (stdout === '')
      throw new Error(`czar ${args.join(' ')} printed nothing (exit ${code}): ${stderr}`);
    return JSON.parse(stdout);
  }

  /** Events of the log, oldest first. */
  async events(): Promise<any[]> {
    const { stdout } = await this.czar('events', '--json');
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  /** What the derived `events.jsonl` has in whole lines, oldest first: the last may be half written yet. */
  log(): any[] {
    const file = join(this.repo, '.czar/logs/events.jsonl');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line));
  }

  /** The first event of the type, of the worker and attempt where they are named, as soon as the log has it. */
  async happened(type: string, worker?: string, attempt?: number): Promise<any> {
    return this.logged(
      (log) =>
        log.find(
          (event) =>
            event.type === type &&
            (worker === undefined || event.worker === worker) &&
            (attempt === undefined || event.attempt === attempt),
        ),
      `${type} ${worker ?? ''}`,
    );
  }

  /** What is found in the log, as soon as it is there. */
  async logged(find: (log: any[]) => any, what = 'such event'): Promise<any> {
    for (let waited = 0; waited < patienceMs; waited += 20) {
      const found = find(this.log());
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const names = this.log().map((event) => `${event.type} ${event.worker ?? ''}`);
    throw new Error(`no ${what} after ${patienceMs} ms:\n${names.join('\n')}`);
  }

  /** The content of a file, as soon as it is there. */
  async appears(file: string): Promise<string> {
    for (let waited = 0; waited < patienceMs; waited += 20) {
      if (existsSync(file)) return readFileSync(file, 'utf8');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no ${file} after ${patienceMs} ms`);
  }

  /** Starts czar and lets it go on. */
  start(...args: readonly string[]): Running {
    const [program, all] = startedThrough(this.through, this.launcher, args);
    const child = spawn(program, all, {
      cwd: this.repo,
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    let stdout = '';
    let stderr = '';
    let listeners: (() => void)[] = [];
    const told = (): void => {
      for (const listener of listeners.splice(0)) listener();
    };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      told();
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
      told();
    });
    let over = false;
    const finished = new Promise<Finished>((resolve, reject) => {
      child.on('close', (code, signal) => {
        over = true;
        this.#running.delete(child);
        this.#killed = signal === 'SIGKILL';
        if (code === 0 && (changing.has(args[0] ?? '') || args.includes('-m')))
          this.#print = this.#fingerprint();
        told();
        // A daemon ends when its runs are over or wait; one that was not asked for anything stays for a while.
        const isOver = args[0] === 'run' && (code === 0 || code === 1 || code === 5);
        const daemon = isOver ? this.#daemon() : null;
        const ended = daemon === null ? Promise.resolve() : goneFrom(daemon, patienceMs);
        ended.then(() => resolve({ code, signal, stdout, stderr }), reject);
      });
    });
    const seen = async (text: string): Promise<void> => {
      const since = performance.now();
      while (!stdout.includes(text) && !stderr.includes(text)) {
        if (over)
          throw new Error(
            `czar ${args.join(' ')} ended without printing ${text}:\n${stdout}\n${stderr}`,
          );
        if (performance.now() - since > patienceMs)
          throw new Error(`czar ${args.join(' ')} has not printed ${text}:\n${stdout}\n${stderr}`);
        await new Promise<void>((resolve) => {
          listeners.push(resolve);
          setTimeout(resolve, 1_000).unref();
        });
      }
    };
    return { child, finished, seen };
  }

  /** Kills who leads the run, as if it had crashed, with the `czar run` that shows it. */
  killLoop({ child }: Running): void {
    const daemon = this.#daemon();
    if (daemon !== null) process.kill(daemon.pid, 'SIGKILL');
    child.kill('SIGKILL');
  }

  /** The daemon that this scratch repository started for its runs; null without one. */
  #daemon(): ProcessIdentity | null {
    return this.through === 'daemon' ? daemonIn(this.repo) : null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const atRest = this.#running.size === 0 && !this.#killed && !this.#discarded;
    for (const child of this.#running) child.kill('SIGKILL');
    await this.stubs.close();
    const daemon = this.#daemon();
    if (daemon !== null) process.kill(daemon.pid, atRest ? 'SIGTERM' : 'SIGKILL');
    try {
      if (daemon !== null) await goneFrom(daemon, patienceMs);
      this.assertUntouched();
      if (atRest) assertNothingLost(this);
    } finally {
      await remove(this.base);
    }
  }
}

/** The plain repository. */
export function plain(scratch: Scratch): void {
  scratch.acting(() =>
    copyFirst(scratch.repo, (folder, ...args) => scratch.gitIn(folder, ...args)),
  );
}

async function remove(folder: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      rmSync(folder, { recursive: true, force: true });
      return;
    } catch (error) {
      // Something that has just been killed may still write.
      if (tries > 40) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** What most tests look at is what a person gets to see: nothing is sent back unless the test says so. */
function settings(yaml: string): string {
  return yaml.includes('max_rework') ? yaml : `${yaml}\nmax_rework: 0\n`;
}
