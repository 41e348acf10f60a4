/** Working trees of 20,000 files: made, used again and given back, beside `git clone --shared` and `rm -rf`. */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { median, type Benchmark, type Figure } from './kit/figure.ts';
import { bareRepository, contentOf, pathOf } from './kit/files.ts';
import { measure, ms, type Cost } from './kit/measure.ts';
import { quietEnvironment } from './kit/scratch.ts';

const script = new URL('kit/tree-step.ts', import.meta.url).pathname;

interface Round {
  readonly clone: Cost;
  readonly cold: Cost;
  readonly reused: Cost;
  readonly release: Cost;
  readonly rm: Cost;
}

export const tree: Benchmark = async ({ scratch, quick, say }) => {
  const count = quick ? 1_000 : 20_000;
  const rounds = quick ? 1 : 5;
  say(`${count} files, ${rounds} rounds`);
  const env = quietEnvironment(scratch);
  const mirror = join(scratch, 'czar/mirror.git');
  const changed = [1, count / 2, count - 1].map((nth) => [pathOf(nth), contentOf(nth + 1)]);
  bareRepository(mirror, env, {
    count,
    branches: [{ name: 'work-000', files: Object.fromEntries(changed) }],
  });
  mkdirSync(join(scratch, 'clones'));

  const node = (step: string, nth: number): Cost =>
    measure({ argv: [process.execPath, script, scratch, step, String(nth)], env });
  // Node and the modules are there already when a run makes a tree.
  const step = (name: string, nth: number): Cost => {
    const start = node('start', nth);
    const whole = node(name, nth);
    return { wallMs: whole.wallMs - start.wallMs, cpuMs: whole.cpuMs - start.cpuMs };
  };
  const all: Round[] = [];
  for (let nth = 0; nth < rounds; nth += 1) {
    say(`round ${nth + 1}`);
    const place = join(scratch, `clones/${nth}`);
    // In turns, so that whoever goes first pays for what both need first.
    const clone = (): Cost =>
      measure({ argv: ['git', 'clone', '-q', '--shared', mirror, place], env });
    const [first, second] =
      nth % 2 === 0 ? [clone(), step('make', nth)] : [step('make', nth), clone()];
    const [cloned, cold] = nth % 2 === 0 ? [first, second] : [second, first];
    const dir = join(scratch, `home/worktrees/w${nth}`);
    const { ino } = lstatSync(dir);
    const reused = step('serve', nth);
    if (lstatSync(dir).ino !== ino) throw new Error('the tree was made from nothing');
    assertClean(dir, env);
    const release = step('release', nth);
    if (existsSync(dir)) throw new Error('the place of the tree is not free');
    // The next round begins from nothing again.
    renameSync(join(scratch, 'home/worktrees/.spare'), join(scratch, `given-back-${nth}`));
    all.push({ clone: cloned, cold, reused, release, rm: unknown });
  }
  // Deleting comes last: where many files have just been deleted, a file system makes new ones slowly.
  const removed = all.map((round, nth): Round => {
    const argv = ['rm', '-rf', join(scratch, `clones/${nth}`)];
    return { ...round, rm: measure({ argv, env }) };
  });

  const middle = (of: (round: Round) => number): number => median(removed.map(of));
  const figure = (
    name: string,
    [ours, theirs, beside]: readonly [keyof Round, keyof Round, string],
    unit: keyof Cost,
    most: number,
  ): Figure => {
    const [own, other] = [
      middle((round) => round[ours][unit]),
      middle((round) => round[theirs][unit]),
    ];
    const what = unit === 'cpuMs' ? 'CPU' : 'wall';
    return {
      name: `${name}, ${what}`,
      ours: ms(own),
      beside: `${beside} ${ms(other)}`,
      value: own / other,
      goal: { most },
    };
  };
  const pairs = [
    ['a tree from nothing', ['cold', 'clone', '`git clone --shared`'], 1.1],
    ['a tree from one that was given back', ['reused', 'cold', 'from nothing'], 0.1],
    ['giving a tree back', ['release', 'rm', '`rm -rf`'], 0.1],
  ] as const;
  return {
    title: 'Working trees',
    method:
      `A repository of ${count} files of about one KiB. A tree from nothing as an attempt gets it, with its own \`.git\`, the record of its ` +
      'files and its refs, beside `git clone --shared` of the same mirror, the two in turns. Then the tree is given back and serves the ' +
      'next attempt at another commit, three files apart: every file is looked at, and its `.git` is made anew. Last it is given back, ' +
      'beside `rm -rf` of the clone. Each step is a process; the start of Node, measured beside it, is taken off. Medians.',
    figures: pairs.flatMap(([name, sides, most]) =>
      (['wallMs', 'cpuMs'] as const).map((unit) => figure(name, sides, unit, most)),
    ),
  };
};

const unknown: Cost = { wallMs: NaN, cpuMs: NaN };

function assertClean(dir: string, env: NodeJS.ProcessEnv): void {
  const args = ['-C', dir, 'status', '--porcelain', '--ignored'];
  const dirty = execFileSync('git', args, { env, encoding: 'utf8' });
  if (dirty !== '') throw new Error(`the tree is not clean: ${dirty.slice(0, 200)}`);
}
