/**
 * Durable events: grouped against one by one, one by one against what the disk can do, and a writer that is killed
 * against what it had acknowledged.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openJournal } from '../src/journal/sqlite.ts';
import { median, type Benchmark, type Figure } from './kit/figure.ts';
import { WorkerLog } from './kit/worker-log.ts';

const writer = new URL('kit/acknowledging-writer.ts', import.meta.url).pathname;
const group = 100;

export const journal: Benchmark = async ({ scratch, quick, say }) => {
  const rounds = quick ? 3 : 15;
  const [singles, groups, kills] = quick ? [20, 2, 3] : [200, 20, 60];
  say(`${rounds} rounds of ${singles} single events and ${groups} groups of ${group}`);
  const rates = ratesOf(scratch, { rounds, singles, groups });
  say(`${kills} kills`);
  const killed = await kill(join(scratch, 'killed.db'), kills);
  const perSecond = (rate: number): string => `${Math.round(rate).toLocaleString('en')} a second`;
  const figures: readonly Figure[] = [
    {
      name: `durable events, ${group} a transaction`,
      ours: perSecond(rates.grouped),
      beside: `one a transaction ${perSecond(rates.single)}`,
      value: rates.grouped / rates.single,
      goal: { least: 10 },
    },
    {
      name: 'durable events, one a transaction',
      ours: perSecond(rates.single),
      beside: `write and fsync of as many bytes ${perSecond(rates.floor)}`,
      value: rates.single / rates.floor,
      goal: { least: 0.8 },
    },
    {
      name: 'acknowledged events that were lost',
      ours: `${killed.lost} of ${killed.acknowledged.toLocaleString('en')}`,
      beside: `${kills} times SIGKILL`,
      value: killed.lost,
      goal: { most: 0 },
    },
  ];
  return {
    title: 'Durable events',
    method:
      'Events of a worker through the journal, each transaction with the rows of the state that it changes, `synchronous=FULL`. ' +
      `The floor appends as many bytes to a file and waits for the disk. ${rounds} rounds in turns, medians. The writer that is killed tells each transaction to a pipe ` +
      'after it; each time the log is opened, its whole chain is checked, and it goes on from there.',
    figures,
  };
};

interface Rates {
  readonly single: number;
  readonly grouped: number;
  readonly floor: number;
}

/** Events a second, each the median of its rounds. */
function ratesOf(
  scratch: string,
  size: { readonly rounds: number; readonly singles: number; readonly groups: number },
): Rates {
  const log = new WorkerLog(join(scratch, 'czar.db'));
  const floor = openSync(join(scratch, 'floor'), 'a');
  const rates = { single: [] as number[], grouped: [] as number[], floor: [] as number[] };
  const bytes = Buffer.alloc(JSON.stringify(log.next()).length, 'x');
  for (let round = -1; round < size.rounds; round += 1) {
    const times = {
      single: timed(() => repeat(size.singles, () => log.append(1))),
      floor: timed(() =>
        repeat(size.singles, () => {
          writeSync(floor, bytes);
          fsyncSync(floor);
        }),
      ),
      grouped: timed(() => repeat(size.groups, () => log.append(group))),
    };
    // The first round only warms up.
    if (round < 0) continue;
    rates.single.push((size.singles / times.single) * 1000);
    rates.floor.push((size.singles / times.floor) * 1000);
    rates.grouped.push(((size.groups * group) / times.grouped) * 1000);
  }
  log.close();
  closeSync(floor);
  return {
    single: median(rates.single),
    grouped: median(rates.grouped),
    floor: median(rates.floor),
  };
}

/** Kills a writer again and again; what it acknowledged and what of that is not in the log. */
async function kill(
  path: string,
  kills: number,
): Promise<{ readonly acknowledged: number; readonly lost: number }> {
  let acknowledged = 0;
  let lost = 0;
  for (let round = 0; round < kills; round += 1) {
    const child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    const ended = once(child, 'close');
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await once(child.stdout, 'data');
    await setTimeout((round * 37) % 150);
    child.kill('SIGKILL');
    await ended;
    const last = Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
    if (!(last > acknowledged)) throw new Error(`the writer acknowledged nothing: ${said}`);
    acknowledged = last;
    using log = openJournal(path);
    const check = log.verifyChain();
    if (!check.ok) throw new Error(check.problem);
    lost += Math.max(0, acknowledged - check.seq);
  }
  return { acknowledged, lost };
}

function repeat(times: number, act: () => void): void {
  for (let count = 0; count < times; count += 1) act();
}

/** Milliseconds. */
function timed(act: () => void): number {
  const begin = performance.now();
  act();
  return performance.now() - begin;
}
