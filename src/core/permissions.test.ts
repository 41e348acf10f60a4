import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PermissionRequest } from './events.ts';
import { permit, usualCommands, type Permit } from './permissions.ts';
import type { Permissions } from './plan.ts';

const tree = '/home/me/repo/.czar/worktrees/a';

function of(policy: Permissions['policy'], request: Omit<PermissionRequest, 'title'>): Permit {
  const allow = [...usualCommands, 'make && ./check'];
  return permit({ policy, allow }, { title: 'it', ...request }, { tree });
}

const command = (policy: Permissions['policy'], line: string): Permit =>
  of(policy, { kind: 'command', command: line });

describe('what agents may do without asking', () => {
  test('files in their tree are theirs, whatever the path looks like', () => {
    for (const policy of ['edit', 'work'] as const) {
      for (const path of ['a.txt', './b/../c.txt', `${tree}/d`, `${tree}//x/./y`, '.gitignore'])
        assert.equal(of(policy, { kind: 'edit', path }), 'allow', `${policy} ${path}`);
      for (const path of ['../b/c.txt', `${tree}x/y`, '/etc/passwd', `${tree}/../a2/x`, '.', tree])
        assert.equal(of(policy, { kind: 'edit', path }), 'ask', `${policy} ${path}`);
    }
    assert.equal(of('work', { kind: 'edit' }), 'ask', 'a file that is not named');
  });

  test('what git keeps is not edited by hand', () => {
    for (const path of ['.git/hooks/pre-commit', `${tree}/x/../.git/config`, '.git'])
      assert.equal(of('work', { kind: 'edit', path }), 'deny', path);
  });

  test('reading is free where commands are, else in the tree', () => {
    assert.equal(of('work', { kind: 'read', path: '/etc/hosts' }), 'allow');
    assert.equal(of('edit', { kind: 'read', path: '/etc/hosts' }), 'ask');
    assert.equal(of('edit', { kind: 'read', path: 'src' }), 'allow');
  });

  test('commands that match, one by one', () => {
    for (const line of [
      'git status',
      'git commit -m "one; two && three" -m \'$(four)\'',
      'git add -A && git commit -m x',
      'npm test 2>&1 | tail -n 5',
      'ls; pwd',
      'ls\npwd',
      'grep -r "a|b" src >/dev/null || echo none',
      'cd src && ls',
      `cd "${tree}" && git log`,
      'make && ./check',
      'grep a\\;b file',
    ])
      assert.equal(command('work', line), 'allow', line);
  });

  test('anything else is asked for', () => {
    for (const line of [
      '',
      'rm -rf /',
      'git',
      'gitx status',
      'git status; rm -rf /',
      'git status && rm -rf /',
      'git status || rm -rf /',
      'git status | sh',
      'git status |& sh',
      'git status & rm -rf /',
      'git status\nrm -rf /',
      'git log $(rm -rf /)',
      'git log `rm -rf /`',
      'git log "$(rm -rf /)"',
      'git log "`rm -rf /`"',
      'git log $HOME',
      'git log > /etc/passwd',
      'git log >/dev/nullx',
      'git log >>.git/config',
      'cat < /etc/shadow',
      'diff <(ls) <(pwd)',
      'GIT_SSH_COMMAND=evil git fetch',
      'git log "unfinished',
      "git log 'unfinished",
      'git log \\',
      'git \\\nlog',
      '(git log)',
      '{ git log; }',
      '! git log',
      'git log # rm',
      'cd / && ls',
      'cd .. && ls',
      'cd - && ls',
      'cd && ls',
      'cd "$HOME" && ls',
      'make && ./check && rm x',
    ])
      assert.equal(command('work', line), 'ask', line);
    assert.equal(of('work', { kind: 'command' }), 'ask', 'a command that is not given');
    assert.equal(of('work', { kind: 'fetch', path: 'http://x' }), 'ask');
    assert.equal(of('work', { kind: 'other' }), 'ask');
    assert.equal(command('edit', 'git status'), 'ask');
  });

  test('with full everything goes', () => {
    assert.equal(command('full', 'rm -rf /'), 'allow');
    assert.equal(of('full', { kind: 'edit', path: '.git/config' }), 'allow');
    assert.equal(of('full', { kind: 'other' }), 'allow');
  });

  test('a pattern with many stars is told soon from a long text that does not fit', () => {
    const pattern = `${'*a'.repeat(50)}*b`;
    const line = `x${'a'.repeat(60_000)}`;
    const verdict = permit(
      { policy: 'work', allow: [pattern] },
      { kind: 'command', title: 'it', command: line },
      { tree },
    );
    assert.equal(verdict, 'ask');
  });
});
