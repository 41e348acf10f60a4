/** Looking at a run in a log of a million events, against a call that looks at nothing. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Benchmark, Figure } from './kit/figure.ts';
import { writeLongLog } from './kit/long-log.ts';
import { interleaved, ms, type Command } from './kit/measure.ts';
import { czar, quietEnvironment, repository } from './kit/scratch.ts';

export const status: Benchmark = async ({ scratch, quick, say }) => {
  const rounds = quick ? 3 : 41;
  const env = quietEnvironment(scratch);
  const cwd = join(scratch, 'repository');
  repository(cwd, env);
  const state = join(cwd, '.git/czar');
  mkdirSync(state, { mode: 0o700 });
  say('writing the log');
  const log = writeLongLog(join(state, 'czar.db'), quick ? 20_000 : 1_000_000);
  say(`${log.events} events of ${log.runs} runs; ${rounds} rounds`);

  const call = (...args: readonly string[]): Command => ({ argv: [czar, ...args], cwd, env });
  const commands = {
    version: call('--version'),
    'czar status': call('status'),
    'czar status --json': call('status', '--json'),
    'czar status WORKER': call('status', 'worker-025'),
    'czar events --limit 20': call('events', '--limit', '20'),
    'czar why WORKER': call('why', 'worker-025'),
  } as const;
  // Once to fill the cache of compiled files.
  interleaved(1, commands);
  const { version, ...looks } = interleaved(rounds, commands);
  const goals = ['czar status', 'czar status --json', 'czar events --limit 20'];
  const figures = Object.entries(looks).flatMap(([name, cost]): readonly Figure[] => [
    {
      name: `${name}, wall`,
      ours: ms(cost.wallMs),
      beside: `--version ${ms(version.wallMs)}`,
      value: cost.wallMs - version.wallMs,
      unit: 'ms more',
      ...(goals.includes(name) ? { goal: { most: 30 } } : {}),
    },
    {
      name: `${name}, CPU`,
      ours: ms(cost.cpuMs),
      beside: `--version ${ms(version.cpuMs)}`,
      value: cost.cpuMs - version.cpuMs,
      unit: 'ms more',
    },
  ]);
  return {
    title: 'Looking at a run',
    method:
      `A log of ${log.events.toLocaleString('en')} events: ${log.runs} runs of ${log.workers} workers each, of which the last is in its middle, ` +
      'written through the journal. The built command line through its launcher, no loop is running, output to /dev/null. ' +
      `${rounds} rounds in turns, medians; the value is what it takes beyond \`--version\`.`,
    figures,
  };
};
