/** A daemon: recovering a large run, taking up live attempts, following many that talk, and doing nothing. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  call,
  countOf,
  leaderOf,
  until,
  usageOf,
  writtenAt,
  type Usage,
} from './kit/background.ts';
import { median, type Benchmark, type BenchOptions, type Figure } from './kit/figure.ts';
import { writeHome } from './kit/layered.ts';
import { writeLongRun } from './kit/long-log.ts';
import { interleaved, ms, type Cost } from './kit/measure.ts';
import { czar, nodeFlags, quietEnvironment, repository } from './kit/scratch.ts';

const opener = new URL('kit/open-log.ts', import.meta.url).pathname;
const reader = new URL('kit/bare-reader.ts', import.meta.url).pathname;
const preload = new URL('kit/loop-delay.ts', import.meta.url).pathname;

/** Ten lines a second, without a program for each pause. */
const talk =
  'exec 3<> <(:); while :; do echo "one more line of what an agent says"; read -t 0.1 -u 3; done';

/** An attempt is told of its loop so long after it was taken up, milliseconds (`daemon/perform/keep-watched.ts`). */
const attendedMs = 1_000;

export const daemon: Benchmark = async (options) => {
  if (process.platform !== 'linux') throw new Error('it reads /proc');
  const attempts = options.quick ? 10 : 100;
  const seconds = options.quick ? 3 : 30;
  const large = await recovering(options);
  const silent = await background(options, { attempts, seconds, script: 'sleep 3600' });
  const talking = await background(options, { attempts, seconds, script: talk });
  const bare = await floor(options, { attempts, seconds });
  return {
    title: 'A daemon',
    method:
      `Opening the log of one run of 1,000 workers with ${large.events.toLocaleString('en')} events, in its middle, as a loop does, by Node with the flags that \`bin/czar\` gives it, above the start of the process. ` +
      `A daemon with ${attempts} live attempts is killed and started again, until it has taken up the last of them. ` +
      `${attempts} attempts that print 10 lines a second each, for ${seconds} s: the daemon beside a bare Node process that reads as many pipes and takes their lines apart; p99 of the loop’s delay beyond a timer of 10 ms. ` +
      `Then ${attempts} attempts that print nothing. Looking at the run with the daemon there and without one, in turns. The conditions were those of the hour: load average ${load()} on ${cores()} cores.`,
    figures: [
      {
        name: 'recovering 1,000 workers, wall',
        ours: ms(large.wallMs),
        beside: 'start-up of the process',
        value: large.wallMs,
        unit: 'ms more',
        goal: { most: 50 },
      },
      {
        name: 'the same, CPU',
        ours: ms(large.cpuMs),
        beside: 'start-up of the process',
        value: large.cpuMs,
        unit: 'ms more',
        goal: { most: 50 },
      },
      {
        name: `taking up ${attempts} live attempts`,
        ours: ms(silent.adoptedMs),
        beside: `daemon start until it listens ${ms(silent.listensMs)}`,
        value: silent.adoptedMs / attempts,
        unit: 'ms an attempt',
      },
      share(`${attempts} attempts, 10 lines/s each, CPU`, talking.usage, bare.usage),
      {
        name: 'the same, memory',
        ours: `${talking.usage.rss.toFixed(0)} MB`,
        beside: `bare Node ${bare.usage.rss.toFixed(0)} MB`,
        value: talking.usage.rss,
        unit: 'MB',
        goal: { most: 150 },
      },
      {
        name: 'the same, loop delay p99',
        ours: ms(talking.delay),
        beside: `bare Node ${ms(bare.delay)}`,
        value: talking.delay - bare.delay,
        unit: 'ms more',
      },
      {
        name: `${attempts} silent attempts, CPU of daemon and guardian`,
        ours: `${silent.usage.cpu.toFixed(2)} % of a core`,
        beside: `guardian alone ${silent.guardian.cpu.toFixed(2)} %`,
        value: silent.usage.cpu,
        unit: '%',
        goal: { most: 1 },
      },
      {
        name: 'czar status beside a daemon, wall',
        ours: ms(silent.statusMs.with),
        beside: `without one ${ms(silent.statusMs.without)}`,
        value: silent.statusMs.with - silent.statusMs.without,
        unit: 'ms more',
        goal: { most: 10 },
      },
    ],
  };
};

function share(name: string, ours: Usage, bare: Usage): Figure {
  return {
    name,
    ours: `${ours.cpu.toFixed(1)} % of a core`,
    beside: `bare Node ${bare.cpu.toFixed(1)} %`,
    value: ours.cpu / bare.cpu,
  };
}

async function recovering({ scratch, quick, say }: BenchOptions) {
  const path = join(scratch, 'long-run.db');
  say('writing the log of a large run');
  const events = writeLongRun(path, { workers: 1_000, count: quick ? 60_000 : 1_000_000 });
  const opened = Array.from({ length: quick ? 1 : 7 }, (): Cost => {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [...nodeFlags(), opener, path, 'open'],
      {
        encoding: 'utf8',
      },
    );
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  });
  return {
    events,
    wallMs: median(opened.map(({ wallMs }) => wallMs)),
    cpuMs: median(opened.map(({ cpuMs }) => cpuMs)),
  };
}

interface Shape {
  readonly attempts: number;
  readonly seconds: number;
}

/** A daemon with so many live attempts that run the script. */
async function background(
  { scratch, quick, say }: BenchOptions,
  { attempts, seconds, script }: Shape & { readonly script: string },
) {
  const base = join(scratch, script === talk ? 'talking' : 'silent');
  const cwd = join(base, 'repository');
  const delays = join(scratch, `delay-${script === talk ? 'talking' : 'silent'}`);
  const env = {
    ...quietEnvironment(base),
    NODE_OPTIONS: `--import=${preload}`,
    CZAR_BENCH_DELAY: delays,
  };
  repository(cwd, env);
  const tasks = Array.from({ length: attempts }, (_, index) => ({ id: `w${index}`, after: [] }));
  writeHome(cwd, tasks, attempts, ['bash', '-c', script]);
  say(`${attempts} attempts: ${script.slice(0, 20)}`);
  call(cwd, env, 'daemon', 'start');
  try {
    await until('the last attempt', () => countOf(cwd, 'worker.active') === attempts);
    const first = await leader(cwd);
    const adoption = await adopted(cwd, first.pid, attempts);
    const { pid, guardian } = await leader(cwd);
    process.kill(pid, 'SIGUSR2');
    const alone = usageOf([guardian], seconds);
    const usage = await usageOf(script === talk ? [pid] : [pid, guardian], seconds);
    const delay = Number(readFileSync(`${delays}.${pid}`, 'utf8'));
    const rounds = script === talk ? 0 : quick ? 1 : 11;
    const seen = { with: [] as number[], without: [] as number[] };
    for (let turn = 0; turn < (rounds > 0 ? 2 : 0); turn += 1) {
      const look = (): number =>
        interleaved(rounds, {
          status: { argv: [czar, 'status'], cwd, env: quietEnvironment(base) },
        }).status.wallMs;
      if (turn === 0) look();
      seen.with.push(look());
      call(cwd, env, 'daemon', 'stop');
      seen.without.push(look());
      call(cwd, env, 'daemon', 'start');
    }
    const statusMs =
      rounds > 0
        ? { with: median(seen.with), without: median(seen.without) }
        : { with: NaN, without: NaN };
    return { ...adoption, usage, guardian: await alone, delay, statusMs };
  } finally {
    call(cwd, env, 'daemon', 'stop', '--agents', 'stop');
  }
}

/** Kills the daemon; from the moment at which its guardian starts the next one until that has taken up every attempt. */
async function adopted(repo: string, before: number, attempts: number) {
  const runs = join(repo, '.czar/runs');
  const names = readdirSync(runs).filter((name) => !name.startsWith('.'));
  const files = names.flatMap((run) =>
    readdirSync(join(runs, run))
      .map((worker) => join(runs, run, worker, '1'))
      .filter((attempt) => existsSync(attempt))
      .map((attempt) => join(attempt, 'watched')),
  );
  if (files.length !== attempts) throw new Error(`${files.length} attempts have a folder`);
  await until('the first word to each attempt', () => files.every((file) => writtenAt(file) > 0));
  process.kill(before, 'SIGKILL');
  const killed = Date.now();
  await until('the next daemon', () => {
    const now = leaderOf(repo);
    return now !== null && now.pid !== before;
  });
  const listens = Date.now();
  const { pid } = await leader(repo);
  const started = startOf(pid);
  await until('the last attempt to be taken up', () =>
    files.every((file) => writtenAt(file) > killed),
  );
  const last = Math.max(...files.map(writtenAt));
  return { adoptedMs: last - attendedMs - started, listensMs: listens - started };
}

async function leader(repo: string) {
  await until('a daemon', () => leaderOf(repo) !== null);
  const found = leaderOf(repo);
  if (found === null) throw new Error('the daemon has died');
  return found;
}

/** When a process was started, milliseconds since 1970. */
function startOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const boot = Number(/^btime (\d+)/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
  return boot * 1_000 + Number(fields[19]) * 10;
}

async function floor({ scratch, say }: BenchOptions, { attempts, seconds }: Shape) {
  say('the floor');
  const delays = join(scratch, 'delay-bare');
  const child = spawn(process.execPath, [`--import=${preload}`, reader, String(attempts), talk], {
    env: { ...process.env, CZAR_BENCH_DELAY: delays },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { pid = 0 } = child;
  // Until all have begun to talk.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  process.kill(pid, 'SIGUSR2');
  const usage = await usageOf([pid], seconds);
  const delay = Number(readFileSync(`${delays}.${pid}`, 'utf8'));
  child.stdin.end();
  await once(child, 'exit');
  return { usage, delay };
}

function load(): string {
  return readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? '?';
}

function cores(): number {
  return readFileSync('/proc/cpuinfo', 'utf8').split(/^processor/m).length - 1;
}
