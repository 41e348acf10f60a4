/** Looking for conflicts: fifty branches, each with each, in one call, beside git merging every pair. */
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { gitContext } from '../src/git/context.ts';
import { predictConflicts } from '../src/git/merging/predict-conflicts.ts';
import { median, type Benchmark, type Figure } from './kit/figure.ts';
import { bareRepository, contentOf, pathOf, type Branch } from './kit/files.ts';
import { quietEnvironment } from './kit/scratch.ts';

const branches = 50;
const files = 1_000;
const mostMs = 100;

interface Case {
  readonly name: string;
  readonly branchOf: (n: number) => Branch;
  /** Pairs that git finds in conflict. */
  readonly clashes: number;
  readonly goal?: { readonly most: number };
}

const cases: readonly Case[] = [
  {
    name: 'every fifth branch in conflict with the one before it',
    branchOf: (n) => work(n, n % 5 === 1 ? [399 + n, 500 + n] : [400 + n, 500 + n]),
    clashes: 10,
    goal: { most: mostMs },
  },
  {
    name: 'all change other files',
    branchOf: (n) => work(n, [400 + n, 500 + n]),
    clashes: 0,
    goal: { most: mostMs },
  },
  {
    name: 'every pair in conflict',
    branchOf: (n) => work(n, [1, 500 + n]),
    clashes: (branches * (branches - 1)) / 2,
  },
];

export const conflicts: Benchmark = async ({ scratch, quick, say }) => {
  const rounds = quick ? 1 : 7;
  const figures: Figure[] = [];
  for (const [index, one] of cases.entries()) {
    say(`${one.name}, ${rounds} rounds`);
    const dir = join(scratch, String(index));
    const { ours, theirs } = await measured(dir, one, rounds);
    figures.push({
      name: one.name,
      ours: `${ours.toFixed(0)} ms`,
      beside: `git merge-tree of all pairs ${theirs.toFixed(0)} ms`,
      value: ours,
      unit: 'ms',
      ...(one.goal === undefined ? {} : { goal: one.goal }),
    });
  }
  return {
    title: 'Looking for conflicts',
    method:
      `${branches} branches of two files each in a repository of ${files} files, each compared with each (${(branches * (branches - 1)) / 2} pairs) ` +
      'in one call in a process that has not looked before, wall time. Beside it, in turns, one `git merge-tree --stdin` that is given ' +
      'every pair. Medians.',
    figures,
  };
};

async function measured(
  dir: string,
  of: Case,
  rounds: number,
): Promise<{ readonly ours: number; readonly theirs: number }> {
  const env = quietEnvironment(dir);
  const context = gitContext({ root: dir, commonDir: dir, home: join(dir, 'home') });
  const template = join(dir, 'template.git');
  const made = Array.from({ length: branches }, (_, n) => of.branchOf(n));
  bareRepository(template, env, { count: files, branches: made });
  cpSync(template, context.mirror, { recursive: true });
  const git = (args: readonly string[], input = ''): string =>
    execFileSync('git', [`--git-dir=${context.mirror}`, ...args], { env, input, encoding: 'utf8' });
  const tips = git(['for-each-ref', '--format=%(objectname)', 'refs/heads/work-*'])
    .trim()
    .split('\n');
  const pairs = tips.flatMap((one, n) => tips.slice(n + 1).map((other) => `${one} ${other}\n`));
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    const found = await predictConflicts(context, { tips, borrowed: [] });
    ours.push(performance.now() - began);
    if (found.kind === 'failed' || found.clashes.length !== of.clashes)
      throw new Error(`${of.name}: ${JSON.stringify(found).slice(0, 500)}`);
    const since = performance.now();
    git(['merge-tree', '--write-tree', '-z', '--stdin'], pairs.join(''));
    theirs.push(performance.now() - since);
  }
  return { ours: median(ours), theirs: median(theirs) };
}

/** A branch that changes the first line of these files. */
function work(n: number, changed: readonly number[]): Branch {
  const content = (index: number): string =>
    contentOf(index).replace(/^.*\n/, `// Changed by ${n}.\n`);
  return {
    name: `work-${String(n).padStart(3, '0')}`,
    files: Object.fromEntries(changed.map((index) => [pathOf(index), content(index)])),
  };
}
