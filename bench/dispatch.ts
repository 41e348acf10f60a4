/** From the exit of a dependency to the program of its dependent, and what a start costs a loop that has grown. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { median, type Benchmark } from './kit/figure.ts';
import { writeHome, type Task } from './kit/layered.ts';
import { measure } from './kit/measure.ts';
import { czar, quietEnvironment, repository } from './kit/scratch.ts';

const bareChain = new URL('kit/bare-chain.ts', import.meta.url).pathname;
const startBlock = new URL('kit/start-block.ts', import.meta.url).pathname;

export const dispatch: Benchmark = async ({ scratch, quick, say }) => {
  const count = quick ? 20 : 100;
  const rounds = quick ? 1 : 3;
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    say(`chain of ${count}, round ${round + 1} of ${rounds}`);
    ours.push(...gaps(chainOfWorkers(join(scratch, `chain-${round}`), count)));
    bare.push(...gaps(bareTimes(join(scratch, `bare-${round}`), count)));
  }
  const small = block(scratch, 'small', 20);
  const large = block(scratch, 'large', 1_000);
  const [our, floor] = [median(ours), median(bare)];
  return {
    title: 'From one worker to the next',
    method:
      `A chain of ${count} workers whose agent is \`date\`, which prints when it starts: the time from one to the next ` +
      'is that of `date` itself, its exit, the durable turn of the loop, and the start of the next program. Beside it a ' +
      'loop that spawns the next `date` when one exits. Then how long a process stands still while it starts a program, ' +
      'with 20 MB and with 1,000 MB of memory in use beside what Node itself needs, for an attempt and for a plain spawn. ' +
      'Medians.',
    figures: [
      {
        name: 'program of a dependency to that of its dependent, p50',
        ours: `${our.toFixed(2)} ms`,
        beside: `bare Node ${floor.toFixed(2)} ms`,
        value: our / floor,
        goal: { most: 1.5 },
      },
      {
        name: 'standing still at 1 GB',
        ours: `${large.attempt.toFixed(2)} ms`,
        beside: `${small.attempt.toFixed(2)} ms at 50 MB`,
        value: large.attempt / small.attempt,
        goal: { most: 1.5 },
      },
      {
        name: 'the same for a plain spawn',
        ours: `${large.spawn.toFixed(2)} ms`,
        beside: `${small.spawn.toFixed(2)} ms at 50 MB`,
        value: large.spawn / small.spawn,
      },
    ],
  };
};

/** When each program of the chain started, nanoseconds. */
function chainOfWorkers(dir: string, count: number): readonly bigint[] {
  const root = join(dir, 'repository');
  const env = quietEnvironment(dir);
  const tasks: readonly Task[] = Array.from({ length: count }, (_, index) => ({
    id: `t${index}`,
    after: index === 0 ? [] : [`t${index - 1}`],
  }));
  repository(root, env);
  writeHome(root, tasks, 8, ['date', '+%s%N']);
  measure({ argv: [czar, 'run', '--quiet'], cwd: root, env });
  const runs = join(root, '.czar', 'runs');
  const run = spawnSync('ls', [runs], { encoding: 'utf8' }).stdout.trim();
  return tasks.map(({ id }) =>
    BigInt(readFileSync(join(runs, run, id, '1', 'output'), 'utf8').trim()),
  );
}

function bareTimes(dir: string, count: number): readonly bigint[] {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'times');
  measure({ argv: [process.execPath, bareChain, String(count), file], cwd: dir });
  return readFileSync(file, 'utf8').trim().split('\n').map(BigInt);
}

/** Milliseconds between neighbours. */
function gaps(times: readonly bigint[]): readonly number[] {
  return times.slice(1).map((time, index) => Number(time - (times[index] ?? time)) / 1e6);
}

function block(
  scratch: string,
  name: string,
  megabytes: number,
): { readonly attempt: number; readonly spawn: number } {
  const folder = join(scratch, name);
  mkdirSync(folder);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [startBlock, String(megabytes), folder],
    { encoding: 'utf8' },
  );
  rmSync(folder, { recursive: true, force: true });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
