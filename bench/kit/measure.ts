/**
 * Whole processes, timed from outside: wall time, and the CPU of the process with every descendant that was waited for,
 * as the kernel counts it for the shell that runs it (bash's `time`).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from './figure.ts';

export interface Command {
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Before each round, not timed. */
  readonly before?: () => void;
}

export interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

const timed = `TIMEFORMAT='%3R %3U %3S'; { time "$@" >/dev/null 2>"$CZAR_BENCH_ERRORS"; } 2>"$CZAR_BENCH_TIMES"`;

/** Runs the command once to its end. Throws with its last words when it fails. */
export function measure(command: Command): Cost {
  command.before?.();
  const base = join(tmpdir(), `czar-bench-${process.pid}`);
  const [times, errors] = [`${base}-times`, `${base}-errors`];
  writeFileSync(errors, '');
  const { status } = spawnSync('bash', ['-c', timed, 'bash', ...command.argv], {
    cwd: command.cwd,
    env: {
      ...(command.env ?? process.env),
      CZAR_BENCH_TIMES: times,
      CZAR_BENCH_ERRORS: errors,
    },
    stdio: 'ignore',
  });
  if (status !== 0) {
    const words = readFileSync(errors, 'utf8').slice(-2_000);
    throw new Error(`${command.argv.join(' ')} ended with ${status}: ${words}`);
  }
  const [real = NaN, user = NaN, system = NaN] = readFileSync(times, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  return { wallMs: real * 1_000, cpuMs: (user + system) * 1_000 };
}

/** A cost for each command that there is. */
export type Costs<Commands> = {
  readonly [Name in keyof Commands]: undefined extends Commands[Name] ? Cost | undefined : Cost;
};

/** Runs each command once a round, in turn, so that a slow minute hits all of them; gives the medians by name. */
export function interleaved<Commands extends Readonly<Record<string, Command | undefined>>>(
  rounds: number,
  commands: Commands,
): Costs<Commands> {
  const costs = new Map<string, Cost[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, command] of Object.entries(commands)) {
      if (command === undefined) continue;
      costs.set(name, [...(costs.get(name) ?? []), measure(command)]);
    }
  }
  const medians = [...costs].map(([name, all]) => [
    name,
    {
      wallMs: median(all.map((cost) => cost.wallMs)),
      cpuMs: median(all.map((cost) => cost.cpuMs)),
    },
  ]);
  // Object.fromEntries forgets the names.
  return Object.fromEntries(medians) as Costs<Commands>;
}

/** `12.3 ms`. */
export function ms(value: number): string {
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)} ms`;
}
