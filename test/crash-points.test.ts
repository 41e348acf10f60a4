/**
 * Every named crash point, one at a time: the real process is killed there, and the next `czar run` ends as if nothing
 * had happened: everything merged once, no attempt started twice, nothing of an agent lost.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { once } from './support/once.ts';
import { Scratch } from './support/scratch.ts';
import { inTerminal, usually, type Through } from './support/through.ts';

const script = `set -e
echo "$CZAR_WORKER/$CZAR_ATTEMPT" >> "$HOME/launches"
mkdir -p out; echo "$CZAR_WORKER" > "out/$CZAR_WORKER"
if [ "$CZAR_WORKER" = a ]; then git add -A; git commit -qm "work of a"; fi
if [ "$CZAR_WORKER/$CZAR_ATTEMPT" = b/1 ]; then echo lost > "out/half"; exit 3; fi
`;

/** Places in the order in which the reference plan passes them: one process after the other is killed there. */
const chains: readonly (readonly string[])[] = [
  [
    'mirror:before-clone',
    'mirror:before-rename',
    'mirror:after-rename',
    'integration:before-create',
    'integration:after-create',
  ],
  [
    'tree:before-make',
    'tree:before-checkout',
    'tree:before-rename',
    'tree:after-rename',
    'launch:after-spawn',
    'collect:before-hold',
    'collect:after-hold',
  ],
  [
    'launch:before-spawn',
    'check:before-checkout',
    'check:after-checkout',
    'merge:before-build',
    'merge:before-candidate',
  ],
  [
    'merge:after-candidate',
    'merge:before-cas',
    'merge:after-cas',
    'publish:before-branch',
    'publish:after-branch',
  ],
  [
    'publish:before-fetch',
    'publish:after-fetch',
    'publish:after-refs',
    'keep:before-ref',
    'keep:after-ref',
  ],
  [
    'tree:before-discard',
    'tree:after-discard',
    'collect:before-commit-ref',
    'collect:after-commit-ref',
  ],
  ['spare:before-put', 'spare:after-put', 'spare:after-take'],
  ['spare:after-renew'],
  ['collect:before-move-on', 'collect:after-move-on', 'collect:done'],
  ['append:before#2', 'append:after#2', 'append:before#5', 'append:after#9', 'append:before#14'],
];

async function reference(through: Through = usually): Promise<Scratch> {
  const scratch = await Scratch.make({ through });
  scratch.scripted(script);
  scratch.worker('a', 'verify: test -f out/a');
  scratch.worker(
    'b',
    'dependencies: [a]\nverify: test -f out/a && test -f out/b\nretry: {initial: 10ms}',
  );
  scratch.commitAll();
  return scratch;
}

/** The reference plan, run to its end. */
const whole = once(async () => {
  const scratch = await reference();
  assert.equal((await scratch.czar('run')).code, 0);
  return scratch;
});

describe(
  'after kills at crash points the next run ends as if nothing had happened',
  inTerminal('npm run crash kills daemons at crash points'),
  () => {
    for (const chain of chains) {
      test(chain.join(', '), async () => {
        await using scratch = await reference();
        for (const place of chain) {
          scratch.env['CZAR_CRASH_AT'] = place;
          const { code, signal, stderr } = await scratch.czar('run');
          const killed = signal === 'SIGKILL' || code === 137;
          assert.ok(killed, `${place} was not reached: ${stderr}`);
        }
        delete scratch.env['CZAR_CRASH_AT'];
        const again = await scratch.czar('run');
        assert.equal(again.code, 0, again.stderr + again.stdout);
        assertWhole(scratch);
      });
    }
  },
);

test('fault 54: locks and unfinished objects that a kill left in the mirror do not stand in the way, and are removed', async () => {
  await using scratch = await reference('terminal');
  scratch.env['CZAR_CRASH_AT'] = 'merge:before-cas';
  const { signal, code } = await scratch.czar('run');
  assert.ok(signal === 'SIGKILL' || code === 137);
  delete scratch.env['CZAR_CRASH_AT'];
  const mirror = join(scratch.repo, '.git/czar/mirror.git');
  const refs = scratch.gitIn(mirror, 'for-each-ref', '--format=%(refname)').split('\n');
  const left = [...['packed-refs', ...refs].map((name) => `${name}.lock`), ...unfinished];
  mkdirSync(join(mirror, 'objects/tmp_objdir-incoming-1/pack'), { recursive: true });
  for (const name of left) {
    mkdirSync(dirname(join(mirror, name)), { recursive: true });
    writeFileSync(join(mirror, name), '');
  }
  const again = await scratch.czar('run');
  assert.equal(again.code, 0, again.stderr + again.stdout);
  assertWhole(scratch);
  for (const name of left) assert.equal(existsSync(join(mirror, name)), false, name);
});

/** Where git and a loop begin to write objects. */
const unfinished = [
  'objects/00/tmp_obj_1_1',
  'objects/pack/tmp_pack_x',
  'objects/tmp_objdir-incoming-1/pack/tmp_idx_x',
];

/** Places that a landing on a checked-out branch passes, in their order. */
const landings: readonly (readonly string[])[] = [
  [
    'land:before-fetch',
    'land:after-fetch',
    'land:before-move',
    'land:before-cas',
    'land:after-files',
    'land:after-index',
  ],
  ['land:after-cas', 'land:after-index'],
];

describe(
  'a landing that was killed is carried through by the next one',
  inTerminal('npm run crash kills daemons at crash points'),
  () => {
    for (const chain of landings) {
      test(chain.join(', '), async () => {
        await using scratch = await whole();
        scratch.allow({ refs: ['refs/heads/main', 'HEAD'], files: ['out/'] });
        const before = scratch.git('rev-parse', 'main');
        for (const place of chain) {
          scratch.env['CZAR_CRASH_AT'] = place;
          const { code, signal, stderr } = await scratch.czar('land');
          assert.ok(signal === 'SIGKILL' || code === 137, `${place} was not reached: ${stderr}`);
        }
        delete scratch.env['CZAR_CRASH_AT'];
        const done = await scratch.czar('land');
        assert.equal(done.code, 0, done.stderr + done.stdout);
        assert.equal(scratch.git('status', '--porcelain'), '');
        assert.equal(scratch.git('ls-tree', '-r', '--name-only', 'main', 'out/'), 'out/a\nout/b');
        const landed = scratch.git('rev-list', '--first-parent', `${before}..main`);
        assert.equal(landed.split('\n').length, 1, 'it landed once');
      });
    }
  },
);

function assertWhole(scratch: Scratch): void {
  const integration =
    scratch
      .git('for-each-ref', '--format=%(refname)', 'refs/heads/czar')
      .split('\n')
      .find((ref) => ref.endsWith('-integration')) ?? '';
  const merged = scratch.git('ls-tree', '-r', '--name-only', integration, 'out/').split('\n');
  assert.ok(
    ['out/a', 'out/b'].every((path) => merged.includes(path)),
    merged.join(' '),
  );
  const merges = scratch
    .git('log', '--first-parent', '--merges', '--format=%s', integration)
    .split('\n');
  assert.deepEqual(merges, ['Merge b', 'Merge a'], 'each worker is merged exactly once');
  const launches = readFileSync(join(scratch.base, 'home/launches'), 'utf8').trim().split('\n');
  assert.equal(
    new Set(launches).size,
    launches.length,
    `no attempt runs twice: ${launches.join(' ')}`,
  );
  const kept = scratch
    .git('for-each-ref', '--format=%(refname)', 'refs/czar/kept')
    .split('\n')
    .filter((ref) => ref !== '');
  // An attempt that was voided before it began left nothing; one that was lost goes on in its tree.
  const half = kept.some((ref) =>
    scratch.git('ls-tree', '-r', '--name-only', ref).includes('out/half'),
  );
  assert.equal(
    half || merged.includes('out/half'),
    launches.includes('b/1'),
    'what the failed attempt left is kept',
  );
  execFileSync('git', ['fsck', '--no-dangling'], {
    cwd: scratch.repo,
    env: scratch.env,
    stdio: 'pipe',
  });
  const lines = readFileSync(join(scratch.repo, '.czar/logs/events.jsonl'), 'utf8')
    .trim()
    .split('\n');
  lines.forEach((line, index) =>
    assert.equal(JSON.parse(line).seq, index + 1, 'the derived log has no gap'),
  );
  assert.equal(existsSync(join(scratch.repo, '.czar/worktrees/.making-a')), false);
  assert.equal(scratch.git('status', '--porcelain'), '');
}
