/**
 * Agents that leave traps, break their repository, or hide what they did: one run with a worker for each, all at once.
 * Whatever czar does with what they left, no trap springs, no other worker suffers, and what they made is merged, kept,
 * or named as left out.
 *
 * A row is shell text that runs in the worker's tree after `out/<name>` was written and, unless it says otherwise,
 * committed. `$TRAP` is a program that writes its arguments into the canary.
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Scratch } from './support/scratch.ts';

interface Row {
  readonly name: string;
  readonly act: string;
  /** What becomes of the worker; complete when nothing is said. */
  readonly state?: 'complete' | 'blocked' | 'failed';
  readonly fault?: number;
  /** Whether `out/<name>` is left uncommitted. */
  readonly uncommitted?: boolean;
  readonly yaml?: string;
  /** Files that are stored beside `out/<name>`, on the branch or kept. */
  readonly also?: readonly string[];
  /** A file that must be named as left out. */
  readonly leftOut?: string;
}

const config = (key: string, value = `$TRAP ${key}`): string => `git config ${key} "${value}"`;

const rows: readonly Row[] = [
  {
    // What fired says which key it was.
    name: 'configuration',
    act: [
      config('core.fsmonitor'),
      config('core.sshCommand'),
      config('core.gitProxy'),
      config('core.askPass'),
      config('credential.helper', '!$TRAP credential'),
      config('remote.origin.uploadpack'),
      config('remote.origin.receivepack'),
      config('protocol.ext.allow', 'always'),
      config('url.ext::$TRAP%Sinstead.insteadOf', '/'),
      config('uploadpack.packObjectsHook'),
      config('core.alternateRefsCommand'),
      config('uploadpack.hideRefs', 'refs'),
      config('transfer.hideRefs', 'refs'),
      ...[
        'fetch',
        'status',
        'log',
        'diff',
        'rev-list',
        'upload-pack',
        'cat-file',
        'merge-tree',
      ].map((verb) => config(`alias.${verb}`, `!$TRAP ${verb}`)),
    ].join('\n'),
  },
  {
    name: 'filters',
    act: `${['clean', 'smudge', 'process'].map((one) => config(`filter.evil.${one}`)).join('\n')}
${config('filter.evil.required', 'true')}
echo '* filter=evil' > .git/info/attributes; echo '* filter=evil' > filtered.txt`,
    also: ['filtered.txt'],
  },
  {
    name: 'attributes',
    act: `echo '*.bin filter=evil diff=evil merge=evil working-tree-encoding=UTF-16 ident export-subst' > attr/.gitattributes
${config('filter.evil.clean')}; ${config('diff.evil.textconv')}; ${config('diff.evil.command')}
${config('merge.evil.driver')}; printf a > attr/a.bin`,
    also: ['attr/.gitattributes'],
    leftOut: 'attr/a.bin',
    state: 'blocked',
  },
  {
    name: 'diff-and-merge',
    act: [
      config('diff.external'),
      config('merge.default', 'evil'),
      config('merge.evil.driver'),
      config('core.pager'),
      config('pager.log'),
      config('interactive.diffFilter'),
      config('core.editor'),
      config('sequence.editor'),
      config('gpg.program'),
      config('commit.gpgSign', 'true'),
      config('trailer.x.command'),
    ].join('\n'),
    uncommitted: true,
  },
  {
    name: 'hooks',
    act: `for hook in pre-commit commit-msg post-commit post-checkout post-merge post-rewrite pre-push pre-auto-gc \\
  reference-transaction post-index-change fsmonitor-watchman update pre-receive post-receive post-update push-to-checkout
do printf '#!/bin/sh\\n%s %s\\n' "$TRAP" "$hook" > ".git/hooks/$hook"; chmod +x ".git/hooks/$hook"; done`,
    uncommitted: true,
  },
  {
    name: 'hooks-path',
    act: `mkdir .git/elsewhere; printf '#!/bin/sh\\n%s hooksPath\\n' "$TRAP" > .git/elsewhere/post-checkout
for hook in reference-transaction post-index-change pre-commit; do cp .git/elsewhere/post-checkout ".git/elsewhere/$hook"; done
chmod +x .git/elsewhere/*; git config core.hooksPath "$PWD/.git/elsewhere"`,
    uncommitted: true,
  },
  {
    name: 'included-config',
    act: `printf '[core]\\n\\tfsmonitor = %s included\\n' "$TRAP" > .git/more; git config include.path more
git config includeIf.gitdir:/.path "$PWD/.git/more"
git config extensions.worktreeConfig true; cp .git/more .git/config.worktree`,
    uncommitted: true,
  },
  {
    name: 'other-worktree',
    act: `git config core.worktree /etc; ${config('core.excludesFile', '$PWD/.git/all')}; echo '*' > .git/all
echo '*' > .git/info/exclude`,
    uncommitted: true,
  },
  { name: 'bare', act: 'git config core.bare true', fault: 57, uncommitted: true },
  {
    name: 'alternates',
    act: 'echo /nonexistent/objects >> .git/objects/info/alternates; echo "$REPO/.git/objects" >> .git/objects/info/alternates',
  },
  {
    name: 'git-is-a-link',
    act: 'rm -rf .git; ln -s "$REPO/.git" .git',
    uncommitted: true,
    state: 'blocked',
  },
  {
    name: 'git-is-a-file',
    act: 'rm -rf .git; echo "gitdir: $REPO/.git" > .git',
    uncommitted: true,
    state: 'blocked',
  },
  { name: 'git-is-gone', act: 'rm -rf .git', uncommitted: true, state: 'blocked' },
  { name: 'git-is-a-pipe', act: 'rm -rf .git; mkfifo .git', uncommitted: true, state: 'blocked' },
  {
    name: 'pipes-in-git',
    act: 'rm .git/HEAD; mkfifo .git/HEAD .git/refs/heads/pipe .git/packed-refs.x',
    uncommitted: true,
    state: 'blocked',
  },
  {
    name: 'pipes-in-tree',
    act: 'mkfifo pipe "$PWD/out/pipe"; echo x > beside.txt',
    also: ['beside.txt'],
  },
  {
    name: 'nested-repository',
    act: `git init -q inner; echo x > inner/file.txt
for key in core.fsmonitor core.sshCommand; do git -C inner config $key "$TRAP nested"; done
printf '#!/bin/sh\\n%s nested-hook\\n' "$TRAP" > inner/.git/hooks/post-index-change; chmod +x inner/.git/hooks/*`,
    also: ['inner/file.txt'],
    leftOut: 'inner/.git',
  },
  {
    name: 'linked-repository',
    act: `git init -q inner; cd inner; echo x > file.txt; git add -A; git -c user.name=x -c user.email=x commit -qm inner; cd ..; git add inner; git commit -qm link`,
    leftOut: 'inner',
    state: 'blocked',
  },
  {
    name: 'submodule',
    act: `printf '[submodule "s"]\\n\\tpath = s\\n\\turl = ext::%s sub\\n\\tupdate = checkout\\n' "$TRAP" > .gitmodules
git update-index --add --cacheinfo "160000,$(git rev-parse HEAD),s"; git add .gitmodules; git commit -qm submodule`,
    also: ['.gitmodules'],
    state: 'blocked',
  },
  {
    name: 'huge',
    act: 'truncate -s 60M huge.bin; echo x > small.txt',
    also: ['small.txt'],
    leftOut: 'huge.bin',
    fault: 67,
  },
  {
    name: 'huge-commit',
    act: 'truncate -s 60M committed.bin; git add -A; git commit -qm huge',
    also: ['committed.bin'],
  },
  {
    name: 'rewritten',
    act: `echo lost > first.txt; git add -A; git commit -qm first; git rev-parse HEAD > "$HOME/rewritten"
git reset -q --hard HEAD^; git commit -q --amend -m other`,
    fault: 59,
  },
  {
    name: 'detached',
    act: 'git checkout -q --detach; echo x > more.txt; git add -A; git commit -qm detached; git rev-parse HEAD > "$HOME/detached"',
    also: ['more.txt'],
    fault: 58,
  },
  {
    name: 'other-branch',
    act: 'git checkout -q -b elsewhere main; echo x > elsewhere.txt; git add -A; git commit -qm e; git rev-parse HEAD > "$HOME/other-branch"; git checkout -q -',
    fault: 58,
  },
  {
    name: 'deleted-branches',
    act: 'git checkout -q --detach; git for-each-ref --format="delete %(refname)" | git update-ref --stdin',
    fault: 60,
  },
  {
    name: 'deleted-for-all',
    act: `git -C "$REPO" for-each-ref --format='%(refname)' refs/heads/czar | grep -v integration |
  sed 's/^/delete /' | git -C "$REPO" update-ref --stdin`,
    fault: 85,
  },
  {
    name: 'pushes',
    act: `git config --unset-all remote.origin.pushurl; git config remote.origin.push '+HEAD:refs/heads/main'
for to in "$REPO" "$REPO/.git/czar/mirror.git" origin; do git push -qf "$to" HEAD:refs/heads/main && "$TRAP" "pushed $to"; done; true`,
    fault: 61,
  },
  {
    name: 'index-bits',
    act: `git update-index --assume-unchanged README.md; git update-index --skip-worktree shared.txt
echo changed > README.md; echo changed > shared.txt`,
    uncommitted: true,
    also: ['README.md', 'shared.txt'],
  },
  {
    name: 'replaced',
    act: `echo x > real.txt; git add -A; git commit -qm real
git replace HEAD "$(git rev-parse HEAD~2)"; git rev-parse HEAD~1 > .git/info/grafts; git rev-parse HEAD > .git/shallow`,
    also: ['real.txt'],
  },
  {
    name: 'odd-names',
    act: `echo x > "$(printf 'new\\nline')"; echo x > "$(printf 'byte\\377')"; echo x > ./-rf; echo x > ':(top)'
echo x > "$(printf 'esc\\033]0;x\\007')"; echo x > '$(touch pwned)'`,
    uncommitted: true,
    also: ['-rf', ':(top)', '$(touch pwned)'],
  },
  {
    name: 'git-in-capitals',
    act: `mkdir -p .GIT/hooks; printf '[core]\\n\\tfsmonitor = %s caps\\n' "$TRAP" > .GIT/config; echo x > 'git~1'; echo x > beside-caps.txt`,
    uncommitted: true,
    also: ['beside-caps.txt'],
    leftOut: '.GIT/config',
  },
  {
    name: 'case-clash',
    act: 'echo a > Clash.txt; echo b > clash.txt; git add -A; git commit -qm clash',
    also: ['Clash.txt', 'clash.txt'],
    state: 'blocked',
  },
  {
    name: 'own-check',
    act: `printf 'exit 0\\n' > check.sh; git add -A; git commit -qm check`,
    yaml: 'verify: sh check.sh',
    also: ['check.sh'],
    state: 'blocked',
    fault: 79,
  },
  { name: 'bystander', act: 'true' },
];

describe('hostile agents', { timeout: 240_000 }, () => {
  let scratch: Scratch;
  let events: any[] = [];
  let kept: any[] = [];
  let integration = '';
  const canary = (): string => join(scratch.base, 'canary');

  before(async () => {
    scratch = await Scratch.make();
    const trap = join(scratch.base, 'trap');
    writeFileSync(trap, `#!/bin/sh\necho "$*" >> "${canary()}"\ncat\n`);
    chmodSync(trap, 0o755);
    scratch.write('shared.txt', 'shared\n');
    scratch.write('check.sh', 'test -f out/own-check\n');
    scratch.write('attr/keep', '');
    const cases = rows.map(
      ({ name, act, uncommitted = false }) =>
        `${name})\n${uncommitted ? '' : `git add -A; git commit -qm '${name}'`}\n${act}\n;;`,
    );
    scratch.scripted(
      `TRAP='${trap}' REPO='${scratch.repo}'
mkdir -p out; echo "$CZAR_WORKER" > "out/$CZAR_WORKER"
case $CZAR_WORKER in
${cases.join('\n')}
esac
exit 0
`,
      'max_parallel: 6\nretry: {max_attempts: 1}\n',
    );
    for (const { name, yaml = '' } of rows) scratch.worker(name, yaml);
    scratch.commitAll();
    const { code, stderr, stdout } = await scratch.czar('run');
    assert.equal(code, 5, stderr + stdout);
    for (const name of ['filters', 'attributes', 'hooks', 'odd-names'])
      for (const verb of [['diff'], ['kept', 'show']]) await scratch.czar(...verb, name);
    await scratch.czar('status');
    events = await scratch.events();
    ({ kept } = await scratch.json('kept', 'list'));
    integration = scratch
      .git('for-each-ref', '--format=%(refname)', 'refs/heads/czar')
      .split('\n')
      .filter((ref) => ref.endsWith('-integration'))
      .join();
  });

  after(async () => {
    // Git must not run in what they left.
    rmSync(join(scratch.repo, '.czar/worktrees'), { recursive: true, force: true });
    await scratch[Symbol.asyncDispose]();
  });

  const blob = (ref: string, path: string): string | null => {
    try {
      return scratch.gitIn(scratch.repo, 'rev-parse', '--verify', '-q', `${ref}:${path}`);
    } catch {
      return null;
    }
  };

  for (const row of rows) {
    const { name, state = 'complete', fault, also = [], leftOut } = row;
    test(`${fault === undefined ? '' : `fault ${fault}: `}${name}: nothing of it is lost, and it is ${state}`, () => {
      const last = events.findLast(
        (event) => event.worker === name && event.type.startsWith('worker.'),
      );
      assert.equal(last?.type, `worker.${state}`, JSON.stringify(last));
      const refs = [
        integration,
        ...kept.filter(({ worker }) => worker === name).map(({ ref }) => ref),
        ...events
          .filter(({ type, worker }) => type === 'work.collected' && worker === name)
          .map(({ data }) => data.work.tip),
      ];
      for (const path of [`out/${name}`, ...also])
        assert.ok(
          refs.some((ref) => blob(ref, path) !== null),
          `${path} is in none of ${refs.join(' ')}: ${JSON.stringify(kept.filter(({ worker }) => worker === name))}`,
        );
      if (state === 'complete') assert.ok(blob(integration, `out/${name}`) !== null);
      if (leftOut !== undefined)
        assert.ok(JSON.stringify(kept).includes(JSON.stringify(leftOut)), JSON.stringify(kept));
      const noted = join(scratch.base, 'home', name);
      if (existsSync(noted)) {
        const commit = readFileSync(noted, 'utf8').trim();
        const mirror = join(scratch.repo, '.git/czar/mirror.git');
        assert.notEqual(scratch.gitIn(mirror, 'for-each-ref', '--contains', commit), '');
      }
    });
  }

  test('every merge is the merge of its parents, and none has what was refused', () => {
    const merges = scratch
      .gitIn(scratch.repo, 'rev-list', '--first-parent', '--merges', integration)
      .split('\n');
    assert.ok(merges.length >= 15, String(merges.length));
    for (const merge of merges) {
      const [tree, one = '', two = ''] = scratch
        .gitIn(scratch.repo, 'show', '-s', '--format=%T %P', merge)
        .split(' ');
      const again = scratch.gitIn(scratch.repo, 'merge-tree', '--write-tree', one, two);
      assert.equal(again.split('\n')[0], tree);
    }
    const listed = scratch.gitIn(scratch.repo, 'ls-tree', '-r', integration);
    assert.doesNotMatch(listed, /^160000|\t\.GIT\/|check\.sh$.*exit/m);
    assert.equal(
      scratch.gitIn(scratch.repo, 'show', `${integration}:check.sh`),
      'test -f out/own-check',
    );
  });

  test('landing what is complete springs nothing either, nor does a second run that cleans up', async () => {
    for (const { name, state } of rows)
      if (state === 'blocked') {
        const { code, stderr } = await scratch.czar('skip', name);
        assert.equal(code, 0, `${name}: ${stderr}`);
      }
    const again = await scratch.czar('run');
    assert.ok(again.code === 0 || again.code === 1, again.stderr);
    scratch.allow({ refs: ['refs/heads/main', 'HEAD'], files: ['out/', 'attr/'] });
    const landed = await scratch.czar('land');
    assert.equal(landed.code, 0, landed.stderr);
    assert.equal(
      existsSync(canary()),
      false,
      existsSync(canary()) ? readFileSync(canary(), 'utf8') : '',
    );
  });
});
