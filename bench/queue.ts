/** The merge queue: branches whose checks take equally long, tested one after another, ahead of time, and in batches. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark, Figure } from './kit/figure.ts';
import { czar, quietEnvironment, repository } from './kit/scratch.ts';

interface Queue {
  readonly mode: 'serial' | 'speculative' | 'batch';
  readonly slots: number;
  /** One in so many branches is red, wherever in the queue; none for 0. */
  readonly redEvery: number;
}

interface Outcome {
  readonly wallMs: number;
  /** Checks that were run. */
  readonly runs: number;
}

const patienceMs = 30 * 60_000;

export const queue: Benchmark = async ({ scratch, quick, say }) => {
  const branches = quick ? 10 : 60;
  const seconds = quick ? 1 : 3;
  const measure = async (name: string, of: Queue): Promise<Outcome> => {
    say(`${name}: ${branches} branches, checks of ${seconds} s`);
    return run(join(scratch, name.replaceAll(/\W+/g, '-')), { ...of, branches, seconds });
  };
  const serial = await measure('serial', { mode: 'serial', slots: 1, redEvery: 0 });
  const figures: Figure[] = [];
  const beside = `serial ${(serial.wallMs / 1_000).toFixed(1)} s`;
  for (const [mode, slots, redEvery, least] of [
    ['speculative', 8, 0, 6],
    ['speculative', 8, 20, 5],
    ['speculative', 8, 5, 3.5],
    ['batch', 2, 20, 3],
  ] as const) {
    const name = `${mode}, ${slots} slots, ${redEvery === 0 ? 'none' : `one in ${redEvery}`} red`;
    const { wallMs, runs } = await measure(name, { mode, slots, redEvery });
    const ours = `${(wallMs / 1_000).toFixed(1)} s`;
    figures.push({ name, ours, beside, value: serial.wallMs / wallMs, goal: { least } });
    figures.push({
      name: `${name}: checks a branch`,
      ours: String(runs),
      beside: `${branches} branches`,
      value: runs / branches,
      ...(mode === 'speculative' && redEvery === 20 ? { goal: { most: 1.3 } } : {}),
    });
  }
  return {
    title: 'The merge queue',
    method:
      `${branches} branches of one file each, checks that wait ${seconds} s, as \`czar run\` merges them with real git: from the ` +
      'moment at which all of them are made until none waits any more. The red ones are anywhere in the queue, drawn once ' +
      'for all; who is red is not sent back. The value is how many times faster it is than one after another, where none ' +
      'is red. Each once.',
    figures,
  };
};

async function run(
  dir: string,
  of: Queue & { readonly branches: number; readonly seconds: number },
): Promise<Outcome> {
  const root = join(dir, 'repository');
  const env = quietEnvironment(dir);
  repository(root, env);
  const gate = join(dir, 'all-are-made');
  const count = join(dir, 'checks');
  write(join(root, '.czar/agent.sh'), 'echo "$CZAR_WORKER" > "$CZAR_WORKER.txt"\n');
  const check = `while [ ! -e ${gate} ]; do sleep 0.1; done; echo x >> ${count}; sleep ${of.seconds}; ! ls *-red.txt >/dev/null 2>&1`;
  write(
    join(root, '.czar/config.yaml'),
    `agents:
  default: script
  define:
    script: {adapter: command, command: ["/bin/sh", "${join(root, '.czar/agent.sh')}"]}
max_parallel: 8
max_parallel_checks: ${of.slots}
merge_queue: ${of.mode}
max_rework: 0
checks: ['${check}']
`,
  );
  const red = redPlaces(of);
  // The number comes first: it is the place in the queue.
  for (let at = 0; at < of.branches; at += 1)
    write(join(root, `.czar/workers/${at + 1}-${red.has(at) ? 'red' : 'ok'}.md`), '---\n---\n');
  const child = spawn(czar, ['run', '--quiet'], { cwd: root, env, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const log = join(root, '.czar/logs/events.log');
  await until(() => linesOf(log, 'WORKER_MERGING') === of.branches);
  const startedAt = performance.now();
  write(gate, '');
  await ended;
  return { wallMs: performance.now() - startedAt, runs: readFileSync(count, 'utf8').length / 2 };
}

/** Places of the red branches: drawn, and the same each time; this draw is about as kind to the queue as most. */
function redPlaces(of: {
  readonly branches: number;
  readonly redEvery: number;
}): ReadonlySet<number> {
  const wanted = of.redEvery === 0 ? 0 : Math.floor(of.branches / of.redEvery);
  const places = new Set<number>();
  for (let drawn = 4; places.size < wanted;) {
    drawn = (drawn * 48_271) % 2_147_483_647;
    places.add(drawn % of.branches);
  }
  return places;
}

function write(file: string, text: string): void {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
}

function linesOf(file: string, word: string): number {
  return existsSync(file) ? readFileSync(file, 'utf8').split(` ${word}`).length - 1 : 0;
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('the branches were not made in time');
    await sleep(100);
  }
}
