/** What a call costs before it does anything: `--version` against Node that does nothing. */
import { join } from 'node:path';
import type { Benchmark, Figure } from './kit/figure.ts';
import { interleaved, ms, type Command, type Cost } from './kit/measure.ts';
import { czar, quietEnvironment, repository } from './kit/scratch.ts';

export const startup: Benchmark = async ({ scratch, quick, say }) => {
  const rounds = quick ? 3 : 41;
  say(`${rounds} rounds`);
  const env = quietEnvironment(scratch);
  const cwd = join(scratch, 'repository');
  repository(cwd, env);
  const call = (...argv: readonly string[]): Command => ({ argv, cwd, env });
  const commands = {
    node: call(process.execPath, '-e', '0'),
    version: call(czar, '--version'),
    help: call(czar, 'help'),
  };
  // Once to fill the cache of compiled files.
  interleaved(1, commands);
  const { node, version, help } = interleaved(rounds, commands);
  const beside = (what: keyof Cost): string => `node -e 0 ${ms(node[what])}`;
  const figures: readonly Figure[] = [
    {
      name: 'czar --version, wall',
      ours: ms(version.wallMs),
      beside: beside('wallMs'),
      value: version.wallMs / node.wallMs,
      goal: { most: 1.5 },
    },
    {
      name: 'czar --version, CPU',
      ours: ms(version.cpuMs),
      beside: beside('cpuMs'),
      value: version.cpuMs / node.cpuMs,
      goal: { most: 1.5 },
    },
    {
      name: 'czar help, CPU',
      ours: ms(help.cpuMs),
      beside: beside('cpuMs'),
      value: help.cpuMs / node.cpuMs,
    },
  ];
  return {
    title: 'Start-up',
    method: `The built command line through its launcher, with the cache of compiled files filled, against the same Node. \`help\` has gone through the whole parser. ${rounds} rounds in turns, medians.`,
    figures,
  };
};
