/** Merging: fifty branches through the product's own transaction, beside `git merge --no-ff` in a checkout. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { median, type Benchmark, type Figure } from './kit/figure.ts';
import { bareRepository, contentOf, pathOf, type Branch } from './kit/files.ts';
import { measure, type Command, type Cost } from './kit/measure.ts';
import { quietEnvironment } from './kit/scratch.ts';

const script = new URL('kit/merge-branches.ts', import.meta.url).pathname;
const branches = 50;

export const merge: Benchmark = async ({ scratch, quick, say }) => {
  const rounds = quick ? 1 : 5;
  const figures: Figure[] = [];
  const sizes = [
    { count: 1_000, most: 0.3 },
    { count: 20_000, most: 0.1 },
  ];
  for (const { count, most } of quick ? sizes.slice(0, 1) : sizes) {
    say(`${count} files, ${rounds} rounds`);
    const { czar, git, plumbing, assertEqual } = prepare(join(scratch, String(count)), count);
    const costs: { fresh: Cost; ours: Cost; theirs: Cost; bare: Cost }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const beside = { theirs: measure(git), bare: measure(plumbing) };
      costs.push({ ...czar(), ...beside });
      assertEqual();
    }
    const middle = (of: (cost: (typeof costs)[number]) => number): number => median(costs.map(of));
    const each = (cost: number): string => `${(cost / branches).toFixed(1)} ms a branch`;
    const figure = (
      name: string,
      which: 'fresh' | 'ours',
      unit: 'cpuMs' | 'wallMs',
      against: 'theirs' | 'bare' = 'theirs',
    ): Figure => {
      const [ours, theirs] = [
        middle((cost) => cost[which][unit]),
        middle((cost) => cost[against][unit]),
      ];
      const beside = `${against === 'bare' ? 'plumbing' : 'git merge'} ${each(theirs)}`;
      return { name: `${name}, ${count} files`, ours: each(ours), beside, value: ours / theirs };
    };
    figures.push(
      { ...figure(`${branches} branches, CPU`, 'ours', 'cpuMs'), goal: { most } },
      figure(`${branches} branches, wall`, 'ours', 'wallMs'),
      figure(`${branches} branches over plumbing, CPU`, 'ours', 'cpuMs', 'bare'),
      figure(`${branches} branches over plumbing, wall`, 'ours', 'wallMs', 'bare'),
      figure(`the first ${branches} of a process, with its start, CPU`, 'fresh', 'cpuMs'),
    );
  }
  return {
    title: 'Merging',
    method:
      `Branches that each change two files and add one, merged one after another. Ours is a process that merges ${2 * branches} as a run ` +
      'does: each merge with all its checks, durable objects, the candidate ref, the integration ref by compare-and-swap. What counts ' +
      `is the second ${branches}, as in a run that is under way; the first, with the start of Node, stand below. Beside it, in turns, a ` +
      `shell loop of \`git merge --no-ff\` in a checkout for the same second ${branches}, with git’s usual settings, which do not wait ` +
      'for the disk. Plumbing is a loop of `git merge-tree`, `commit-tree` and `update-ref` for the same ones, without a checkout. All end with the same tree, which is checked. CPU is that of all processes. Medians.',
    figures,
  };
};

interface Sides {
  /** Merges twice as many branches as count, and gives what the first and the second half cost. */
  readonly czar: () => { readonly fresh: Cost; readonly ours: Cost };
  /** Merges the second half; the first is merged before the clock runs. */
  readonly git: Command;
  /** Merges the second half without a checkout. */
  readonly plumbing: Command;
  /** Throws when the two did not end with one tree. */
  readonly assertEqual: () => void;
}

function prepare(dir: string, count: number): Sides {
  const env = quietEnvironment(dir);
  const git = (gitDir: string, ...args: readonly string[]): string =>
    execFileSync('git', [`--git-dir=${gitDir}`, ...args], { env, encoding: 'utf8' }).trim();
  const template = join(dir, 'template.git');
  bareRepository(template, env, {
    count,
    branches: Array.from({ length: 2 * branches }, (_, n) => branchOf(n, count)),
  });
  git(template, 'update-ref', 'refs/czar/integration/bench', 'main');
  const mirror = join(dir, 'czar/mirror.git');
  const repository = join(dir, 'repository.git');
  const checkout = join(dir, 'checkout');
  mkdirSync(checkout, { recursive: true });
  const inCheckout = ['-c', 'core.bare=false', `--work-tree=${checkout}`];

  // Set aside and not deleted: where many files have just been deleted, a file system makes new ones slowly.
  let round = 0;
  const renew = (place: string): void => {
    round += 1;
    if (existsSync(place)) renameSync(place, join(dir, `aside-${round}`));
    cpSync(template, place, { recursive: true });
  };
  const halfway = join(dir, 'halfway');
  const loop = `for branch in $(git --git-dir="$1" for-each-ref --format='%(refname:short)' refs/heads/work-\\* | $3); do
    git -c core.bare=false --git-dir="$1" --work-tree="$2" merge -q --no-ff -m "Merge $branch" "$branch" || exit 1
  done`;
  const bare = join(dir, 'bare.git');
  const plumbing = (half: 'head' | 'tail'): readonly string[] => [
    '-c',
    `base=$(git --git-dir="$1" rev-parse main); for branch in $(git --git-dir="$1" for-each-ref --format='%(refname:short)' refs/heads/work-\\* | ${half} -n ${branches}); do
      tree=$(git --git-dir="$1" merge-tree --write-tree "$base" "$branch") || exit 1
      base=$(git --git-dir="$1" commit-tree "$tree" -p "$base" -p "$branch" -m "Merge $branch") || exit 1
      git --git-dir="$1" update-ref refs/heads/main "$base" || exit 1
    done`,
    'sh',
    bare,
  ];
  const merges = (half: 'head' | 'tail'): readonly string[] => {
    const list = `${half} -n ${branches}`;
    return ['-c', loop.replace('$3', list), 'sh', repository, checkout];
  };
  return {
    czar: () => {
      const whole = measure({
        argv: [process.execPath, script, dir, halfway],
        env,
        before: () => renew(mirror),
      });
      const [wallMs = NaN, cpuMs = NaN] = readFileSync(halfway, 'utf8').split(' ').map(Number);
      return {
        fresh: { wallMs, cpuMs },
        ours: { wallMs: whole.wallMs - wallMs, cpuMs: whole.cpuMs - cpuMs },
      };
    },
    git: {
      argv: ['sh', ...merges('tail')],
      cwd: checkout,
      env,
      before: () => {
        renew(repository);
        git(repository, ...inCheckout, 'reset', '-q', '--hard', 'main');
        git(repository, ...inCheckout, 'clean', '-q', '-fd');
        execFileSync('sh', merges('head'), { env, cwd: checkout });
      },
    },
    plumbing: {
      argv: ['sh', ...plumbing('tail')],
      env,
      before: () => {
        renew(bare);
        execFileSync('sh', plumbing('head'), { env });
      },
    },
    assertEqual: () => {
      const ours = git(mirror, 'rev-parse', 'refs/czar/integration/bench^{tree}');
      const theirs = git(repository, 'rev-parse', 'main^{tree}');
      const plain = git(bare, 'rev-parse', 'main^{tree}');
      if (ours !== theirs || ours !== plain)
        throw new Error(`merged to ${ours}, git merge to ${theirs}, plumbing to ${plain}`);
    },
  };
}

/** Each in one folder; branches that share one have other files of it. */
function branchOf(n: number, count: number): Branch {
  const folder = (n * 7 * 25) % count;
  const nth = Math.floor(n / 40) * 8 + (n % 2) * 4;
  const [one, other] = [folder + nth, folder + nth + 1 + (n % 3)];
  return {
    name: `work-${String(n).padStart(3, '0')}`,
    files: {
      [pathOf(one)]: `${contentOf(one)}// changed by ${n}\n`,
      [pathOf(other)]: `${contentOf(other)}// changed by ${n}\n`,
      [pathOf(folder).replace('file00', `new${n}`)]: `export const added = ${n};\n`,
    },
  };
}
