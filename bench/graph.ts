/** Overhead of a task: a layered graph of no-op workers against a bare spawn loop, make and ninja. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Benchmark, Figure } from './kit/figure.ts';
import { layered, makefile, ninjaFile, writeHome } from './kit/layered.ts';
import { interleaved, measure, type Command } from './kit/measure.ts';
import { czar, quietEnvironment, repository } from './kit/scratch.ts';

const slots = 8;
const bareLoop = new URL('kit/bare-loop.ts', import.meta.url).pathname;

export const graph: Benchmark = async ({ scratch, quick, say }) => {
  const count = quick ? 100 : 1_000;
  const rounds = quick ? 1 : 5;
  say(`${count} workers, ${rounds} rounds`);
  const small = join(scratch, 'small');
  const costs = interleaved(rounds, commands(small, count));
  const figures: Figure[] = [];
  const { czar: ours, node } = costs;
  const each = (cost: number): string => `${(cost / count).toFixed(2)} ms a worker`;
  figures.push(
    {
      name: `${count} no-op workers, wall`,
      ours: each(ours.wallMs),
      beside: `bare Node loop ${each(node.wallMs)}`,
      value: ours.wallMs / node.wallMs,
      goal: { most: 1.5 },
    },
    {
      name: `${count} no-op workers, CPU`,
      ours: each(ours.cpuMs),
      beside: `bare Node loop ${each(node.cpuMs)}`,
      value: ours.cpuMs / node.cpuMs,
      goal: { most: 1.5 },
    },
  );
  figures.push({
    name: 'the same beside a loop that makes what an attempt finds and leaves, CPU',
    ours: each(ours.cpuMs),
    beside: `bare Node loop with files ${each(costs.files.cpuMs)}`,
    value: ours.cpuMs / costs.files.cpuMs,
  });
  for (const name of ['make', 'ninja'] as const) {
    const other = costs[name];
    if (other === undefined) continue;
    figures.push({
      name: `the same beside ${name}, CPU`,
      ours: each(ours.cpuMs),
      beside: `${name} ${each(other.cpuMs)}`,
      value: ours.cpuMs / other.cpuMs,
    });
  }
  const many = count * 10;
  say(`${many} workers`);
  const peakFile = join(scratch, 'peak');
  mkdirSync(join(scratch, 'large'));
  const { XDG_CACHE_HOME: compiled } = quietEnvironment(small);
  const large = measure(ourRun(join(scratch, 'large'), many, { peakFile, compiled }));
  const peakMb = Number(readFileSync(peakFile, 'utf8')) / 1_024;
  figures.push(
    {
      name: `${many} workers, wall for each`,
      ours: `${(large.wallMs / many).toFixed(2)} ms`,
      beside: `${(ours.wallMs / count).toFixed(2)} ms at ${count}`,
      value: large.wallMs / many / (ours.wallMs / count),
      goal: { most: 1.15 },
    },
    {
      name: `${many} workers, peak memory`,
      ours: `${Math.round(peakMb)} MB`,
      beside: '',
      value: peakMb,
      unit: 'MB',
      goal: { most: 150 },
    },
  );
  return {
    title: 'Overhead of a worker',
    method:
      `A layered graph of workers that do nothing (\`workspace: empty\`, agent \`true\`), ${slots} at a time, from \`czar run\` ` +
      'to its exit: reading the plan, the durable log, attempts under the shim, all included. Beside it, in turns, a loop of ' +
      'thirty lines that spawns `true` and keeps nothing, the same loop when it makes the four folders and eight files of an ' +
      'attempt (and waits for no disk), and build tools where they are installed. CPU is that of all processes. Medians. ' +
      'The memory is that of the process of `czar run`, with the cache of compiled files filled.',
    figures,
  };
};

type Commands = {
  readonly czar: Command;
  readonly node: Command;
  /** The bare loop, with the folders and files of attempts. */
  readonly files: Command;
  readonly make?: Command;
  readonly ninja?: Command;
};

function commands(dir: string, count: number): Commands {
  mkdirSync(dir, { recursive: true });
  const tasks = layered(count);
  const files = {
    graph: join(dir, 'graph.json'),
    make: join(dir, 'Makefile'),
    ninja: join(dir, 'build.ninja'),
  };
  writeFileSync(files.graph, JSON.stringify(tasks));
  writeFileSync(files.make, makefile(tasks));
  writeFileSync(files.ninja, ninjaFile(tasks));
  const bare = { argv: [process.execPath, bareLoop, files.graph, String(slots)], cwd: dir };
  const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
  return {
    czar: ourRun(dir, count),
    node: bare,
    files: withFiles(bare, join(dir, 'bare')),
    ...(has('make') ? { make: { argv: ['make', '-s', `-j${slots}`], cwd: dir } } : {}),
    ...(has('ninja') ? { ninja: { argv: ['ninja', '--quiet', `-j${slots}`], cwd: dir } } : {}),
  };
}

/** In a fresh folder each time. */
function withFiles(
  bare: { readonly argv: readonly string[]; readonly cwd: string },
  folder: string,
): Command {
  return {
    argv: [...bare.argv, folder],
    cwd: bare.cwd,
    before: () => {
      if (existsSync(folder)) renameSync(folder, `${folder}-${performance.now()}`);
      mkdirSync(folder);
    },
  };
}

/**
 * A run in a fresh repository each time. With `peakFile`, its largest resident memory is written there, in KiB, and
 * compiled files come from the cache below `compiled`. Nothing is removed between two runs: for a minute ext4 passes over
 * each file number that was just given back, whenever it makes a file, which would be counted as ours.
 */
function ourRun(
  dir: string,
  count: number,
  peak?: { readonly peakFile: string; readonly compiled: string | undefined },
): Command {
  const root = join(dir, 'repository');
  const quiet = quietEnvironment(dir);
  const env = peak === undefined ? quiet : { ...quiet, ...watched(peak) };
  const tasks = layered(count);
  return {
    argv: [czar, 'run', '--quiet'],
    cwd: root,
    env,
    before: () => {
      if (existsSync(root)) renameSync(root, `${root}-${performance.now()}`);
      repository(root, quiet);
      writeHome(root, tasks, slots);
    },
  };
}

function watched(peak: {
  readonly peakFile: string;
  readonly compiled: string | undefined;
}): NodeJS.ProcessEnv {
  const file = JSON.stringify(peak.peakFile);
  const write = `process.on('exit',()=>process.getBuiltinModule('fs').writeFileSync(${file},String(process.resourceUsage().maxRSS)))`;
  return {
    XDG_CACHE_HOME: peak.compiled,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(write)}`,
  };
}
