/** What a loop has to do before it can go on with a long log, against folding the log. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { median, type Benchmark } from './kit/figure.ts';
import { writeLongLog } from './kit/long-log.ts';
import { ms, type Cost } from './kit/measure.ts';

const program = new URL('kit/open-log.ts', import.meta.url).pathname;

export const recovery: Benchmark = async ({ scratch, quick, say }) => {
  const path = join(scratch, 'czar.db');
  say('writing the log');
  const log = writeLongLog(path, quick ? 20_000 : 1_000_000);
  // Folding takes half a minute each time.
  const rounds = quick ? 1 : 2;
  say(`${log.events} events of ${log.runs} runs; ${rounds} rounds`);
  const costs = { fold: [] as Opened[], open: [] as Opened[] };
  for (let round = 0; round < rounds; round += 1) {
    costs.fold.push(opened(path, 'fold'));
    for (let again = 0; again < 5; again += 1) costs.open.push(opened(path, 'open'));
  }
  const digests = new Set([...costs.fold, ...costs.open].map(({ digest }) => digest));
  if (digests.size !== 1)
    throw new Error('the state that was opened is not the one that was folded');
  const of = (all: readonly Opened[], what: keyof Cost): number =>
    median(all.map((one) => one[what]));
  const figure = (name: string, what: keyof Cost) => ({
    name: `opening the state, ${name}`,
    ours: ms(of(costs.open, what)),
    beside: `folding the log ${ms(of(costs.fold, what))}`,
    value: (of(costs.open, what) / of(costs.fold, what)) * 100,
    unit: '%',
    goal: { most: 1 },
  });
  return {
    title: 'Recovery',
    method:
      `A log of ${log.events.toLocaleString('en')} events: ${log.runs} runs of ${log.workers} workers each, of which the last is in its middle. ` +
      'Opening it for writing, taking over the state of the last event and finding what is to be done, as a loop does at its start, against reading and ' +
      `folding every event, as it does when the rows of the state are damaged; each in a process of its own, timed inside. ${rounds} rounds in turns, medians. Both give the same state, which is compared.`,
    figures: [figure('wall', 'wallMs'), figure('CPU', 'cpuMs')],
  };
};

interface Opened extends Cost {
  readonly digest: string;
}

function opened(path: string, how: 'fold' | 'open'): Opened {
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, path, how], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
