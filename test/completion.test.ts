// `czar completion`, as the built program, and what a shell makes of it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { planFolder } from './support/plan-folder.ts';

const launcher = join(import.meta.dirname, '../bin/czar');

function script(shell: string): string {
  const { status, stdout, stderr } = spawnSync(launcher, ['completion', shell], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

test('bash completes verbs, sub-verbs, options, their values and workers', () => {
  using folder = planFolder({ '.czar/workers/one.md': '', '.czar/workers/two.md': '' });
  const bash = script('bash');
  const complete = (line: string): readonly string[] => {
    const words = line.split(' ');
    const asked = [
      bash,
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`,
      `COMP_CWORD=${words.length - 1}`,
      '_czar',
      'printf "%s\\n" "${COMPREPLY[@]}"',
    ].join('\n');
    const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', asked], {
      cwd: folder.root,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
    return stdout.split('\n').filter((word) => word !== '');
  };
  assert.deepEqual(complete('czar pru'), ['prune']);
  assert.deepEqual(complete('czar config '), ['show', 'explain', 'validate']);
  assert.deepEqual(complete('czar --env ci config sh'), ['show']);
  assert.deepEqual(complete('czar agents '), ['list', 'test']);
  assert.deepEqual(complete('czar agents test x --ti'), ['--timeout']);
  assert.deepEqual(complete('czar prune --dry'), ['--dry-run']);
  assert.deepEqual(complete('czar kept restore x --int'), ['--into']);
  assert.deepEqual(complete('czar events --format '), ['line', 'classic', 'json']);
  assert.deepEqual(complete('czar completion f'), ['fish']);
  assert.deepEqual(complete('czar why '), ['one', 'two']);
  assert.deepEqual(complete('czar run one t'), ['two']);
  assert.ok(complete('czar ').includes('help'));
  assert.ok(complete('czar status --').includes('--json'));
});

test('zsh takes the same script through its own door, fish gets lines of its own', () => {
  assert.match(script('zsh'), /^autoload -U \+X bashcompinit && bashcompinit\n_czar\(\)/);
  const fish = script('fish');
  assert.match(fish, /^complete -c czar -f -n 'not __fish_seen[^']*' -a prune -d '/m);
  assert.match(
    fish,
    /^complete -c czar -f -n '__fish_seen_subcommand_from prune' -l dry-run -d '/m,
  );
  for (const line of fish.trimEnd().split('\n')) assert.match(line, /^complete -c czar -f /);
  const wrong = spawnSync(launcher, ['completion', 'csh'], { encoding: 'utf8' });
  assert.equal(wrong.status, 2);
});
