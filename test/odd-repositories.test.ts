/**
 * Repositories that are not the plain one: in each a run works to its end and lands. The rows share their questions: what
 * was merged, what landed, and that nothing else of the user's has changed (S13), which `Scratch` asserts around every
 * step. Those that czar refuses are in `odd-refusals.test.ts`.
 */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  arranged,
  cloneOf,
  executable,
  filesOf,
  identify,
  treeOf,
  upstream,
  type OddRepository,
} from './support/odd-repository.ts';
import { plain, type Scratch } from './support/scratch.ts';

const hooks = [
  'pre-commit',
  'commit-msg',
  'post-commit',
  'post-checkout',
  'post-merge',
  'pre-push',
  'pre-auto-gc',
  'post-index-change',
  'reference-transaction',
];

const works: readonly OddRepository[] = [
  {
    name: 'fault 66: a shallow clone',
    repository: (scratch) => {
      cloneOf(scratch, '--depth', '1', `file://${upstream(scratch)}`);
    },
    look: (scratch) =>
      assert.equal(scratch.git('rev-parse', '--is-shallow-repository'), 'true', 'and stays one'),
  },
  {
    name: 'a dirty checkout',
    arrange: (scratch) => {
      scratch.write('README.md', 'changed\n');
      scratch.write('staged.txt', 'staged\n');
      scratch.git('add', 'staged.txt');
      scratch.write('untracked.txt', 'new\n');
    },
  },
  {
    name: 'a linked worktree as the checkout',
    folder: 'linked',
    repository: linkedCheckout,
    look: (scratch) =>
      assert.equal(existsSync(join(scratch.base, 'main/.czar')), false, 'the home is in it'),
  },
  {
    name: 'hooks of husky, plain ones and ones of the machine, none of which fires',
    arrange: (scratch) => {
      const hook = `#!/bin/sh\necho "$0" >> ${join(scratch.base, 'canary')}\nexit 1\n`;
      const { repo, base } = scratch;
      scratch.acting(() => {
        for (const folder of [`${repo}/.git/hooks`, `${repo}/.husky`, `${base}/home/hooks`]) {
          mkdirSync(folder, { recursive: true });
          for (const name of hooks) executable(join(folder, name), hook);
        }
        const global = `[core]\n\thooksPath = ${base}/home/hooks\n`;
        appendFileSync(join(repo, '.git/config'), '[core]\n\thooksPath = .husky\n');
        writeFileSync(join(base, 'home/.gitconfig'), global);
      });
    },
    look: ({ base }) => assert.equal(existsSync(join(base, 'canary')), false),
  },
  {
    name: 'signed commits asked for with a key that nobody can use, and an index with all that large repositories have',
    arrange: (scratch) => {
      scratch.git('config', 'feature.manyFiles', 'true');
      scratch.git('config', 'core.splitIndex', 'true');
      scratch.git('config', 'splitIndex.maxPercentChange', '100');
      scratch.git('update-index', '--split-index', '--index-version', '4');
      for (const key of ['commit.gpgSign', 'tag.gpgSign', 'push.gpgSign'])
        scratch.git('config', key, 'true');
      scratch.git('config', 'gpg.program', '/bin/false');
      scratch.git('config', 'user.signingKey', 'nobody');
    },
  },
  {
    name: 'fault 56: objects borrowed from another repository, which forgets them meanwhile',
    repository: (scratch) => cloneOf(scratch, '--shared', upstream(scratch)),
    look: (scratch) => {
      const mirror = join(scratch.repo, '.git/czar/mirror.git');
      assert.equal(existsSync(join(mirror, 'objects/info/alternates')), false);
      scratch.gitIn(mirror, 'fsck', '--strict');
    },
    land: null,
  },
  {
    name: 'SHA-256 object names',
    repository: (scratch) => {
      scratch.gitIn(scratch.base, 'init', '-q', '-b', 'main', '--object-format=sha256', 'repo');
      identify(scratch);
      scratch.write('README.md', '# scratch\n');
      scratch.commitAll('first');
    },
  },
  {
    name: '5,000 refs, none of which an agent gets but tags and tracking ones',
    arrange: (scratch) => {
      const head = scratch.git('rev-parse', 'HEAD');
      const lines = Array.from({ length: 5000 }, (_, n) =>
        n < 4000 ? `${head} refs/heads/many/b${n}` : `${head} refs/tags/t${n}`,
      );
      scratch.acting(() => {
        const packed = ['# pack-refs with: peeled fully-peeled ', ...lines, ''].join('\n');
        writeFileSync(join(scratch.repo, '.git/packed-refs'), packed);
      });
    },
    look: (scratch) => {
      const refs = scratch
        .gitIn(treeOf(scratch), 'for-each-ref', '--format=%(refname)')
        .split('\n');
      assert.equal(refs.length, 1001, 'its own branch and the tags');
    },
    land: null,
  },
  {
    name: 'an existing branch ahead of the base, which its worker continues',
    arrange: (scratch) => {
      scratch.git('checkout', '-q', '-b', 'feat/x');
      scratch.write('begun.txt', 'begun\n');
      scratch.commitAll('begun');
      scratch.git('checkout', '-q', 'main');
      scratch.allow({ refs: ['refs/heads/feat/x'] });
    },
    worker: 'branch: feat/x\n',
    look: (scratch, run) => {
      assert.equal(scratch.git('show', `czar/${run}-integration:begun.txt`), 'begun');
      assert.equal(scratch.git('show', 'feat/x:out/done.txt'), 'a');
    },
  },
  {
    name: 'fault 65: spaces, other alphabets, both Unicode forms, names that differ in case, long paths, CRLF and autocrlf',
    folder: 'mein Repo – 雪 \'"$(x)',
    repository: (scratch) => {
      plain(scratch);
      const long = `${'d'.repeat(200)}/${'e'.repeat(200)}/${'f'.repeat(200)}/${'g'.repeat(200)}.txt`;
      for (const [path, content] of [
        ['with space/ä ö.txt', 'one\n'],
        ['\u00e9.txt', 'composed\n'],
        ['e\u0301.txt', 'decomposed\n'],
        ['Case/readme.md', 'lower\n'],
        ['Case/README.md', 'upper\n'],
        ['quote"\\back', 'q\n'],
        ['-dash', 'd\n'],
        [long, 'long\n'],
        ['crlf.txt', 'a\r\nb\r\n'],
        ['mixed.txt', 'a\r\nb\n'],
        ['eol.bat', 'x\n'],
        ['.gitattributes', '*.bat text eol=crlf\n'],
      ] as const)
        scratch.write(path, content);
      scratch.commitAll('names');
      scratch.git('config', 'core.autocrlf', 'true');
    },
  },
  {
    name: 'fault 66: a sparse checkout, where agents see all and the landing keeps it sparse',
    repository: (scratch) => {
      plain(scratch);
      for (const path of ['near/a.txt', 'far/b.txt', 'out/there.txt']) scratch.write(path, 'x\n');
      scratch.commitAll('wide');
      scratch.git('sparse-checkout', 'set', '--cone', 'near', '.czar');
    },
    look: (scratch) => assert.equal(existsSync(join(treeOf(scratch), 'far/b.txt')), true),
  },
  {
    name: 'faults 53 and 54: locks that a killed git left in the configuration, the refs and the index',
    arrange: (scratch) => {
      for (const name of ['config.lock', 'packed-refs.lock', 'index.lock', 'HEAD.lock'])
        writeFileSync(join(scratch.repo, '.git', name), '');
    },
    land: null,
  },
  {
    name: 'fault 57: an agent that makes its repository bare, by setting and by git init',
    act: 'git config core.bare true; GIT_DIR=.git git init -q --bare; git config core.bare false',
    land: null,
  },
  {
    name: 'linked worktrees for workers of a linked worktree, in a folder with spaces',
    folder: 'linked – 雪',
    repository: linkedCheckout,
    config: 'isolation: worktree\n',
    look: (scratch) => assert.match(scratch.git('worktree', 'list'), /worktrees\/a /),
  },
  {
    name: 'a detached HEAD in a bisection, conflicts of a stash, a nested repository, a symbolic branch, a replaced commit',
    arrange: (scratch) => {
      scratch.write('more.txt', 'more\n');
      scratch.commitAll('more');
      scratch.git('symbolic-ref', 'refs/heads/alias', 'refs/heads/main');
      scratch.git('replace', 'HEAD', 'HEAD~1');
      scratch.git('init', '-q', 'nested');
      scratch.git('checkout', '-q', '--detach');
      scratch.git('bisect', 'start', '--no-checkout', 'HEAD', 'HEAD~1');
      scratch.write('README.md', 'mine\n');
      scratch.git('stash', '-q');
      scratch.write('README.md', 'theirs\n');
      scratch.git('commit', '-q', '-a', '-m', 'theirs');
      scratch.acting(() => {
        assert.throws(() => scratch.gitIn(scratch.repo, 'stash', 'pop'));
      });
    },
    land: ['--into', 'main'],
  },
];

describe('a run works to its end and lands in', () => {
  for (const row of works) {
    test(row.name, async () => {
      await using scratch = await arranged(row);
      const base = scratch.git('rev-parse', 'HEAD');
      const status = scratch.git('status', '--porcelain', '--untracked-files=all');
      const done = await scratch.czar('run', ...(row.run ?? []));
      assert.equal(done.code, 0, done.stderr + done.stdout);
      scratch.assertUntouched();
      const run: string = scratch.log().find((event) => event.run).run;
      const integration = filesOf(scratch, `czar/${run}-integration`);
      assert.ok(integration.delete('out/done.txt'), 'what the agent made is merged');
      if (row.worker === undefined)
        assert.deepEqual(integration, filesOf(scratch, base), 'everything else is as it was');
      row.look?.(scratch, run);
      if (row.land === null) return;
      const landed = await scratch.czar('land', ...(row.land ?? []));
      assert.equal(landed.code, 0, landed.stderr + landed.stdout);
      assert.equal(scratch.git('status', '--porcelain', '--untracked-files=all'), status);
      const target = row.land?.[1] ?? 'HEAD';
      assert.equal(scratch.git('show', `${target}:out/done.txt`), 'a');
      scratch.git('fsck', '--strict');
    });
  }
});

/** A repository in the folder `main` of the scratch folder, and a linked checkout of it where the row's should be. */
function linkedCheckout(scratch: Scratch): void {
  const { repo } = scratch;
  scratch.repo = join(scratch.base, 'main');
  plain(scratch);
  scratch.git('branch', 'topic');
  scratch.git('worktree', 'add', '-q', repo, 'topic');
  scratch.repo = repo;
}
