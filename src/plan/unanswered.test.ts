import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planFolder } from '../../test/support/plan-folder.ts';

/** Problems, and what happens with the worker when nobody answers. */
function load(
  config: string,
  ...lines: readonly string[]
): { readonly problems: readonly string[]; readonly unanswered: unknown } {
  using folder = planFolder({
    '.czar/config.yaml': `agents: {default: mine, define: {mine: {command: [x]}}}\n${config}\n`,
    '.czar/workers/a.md': `---\n${lines.join('\n')}\n---\n`,
  });
  const { plan, diagnostics } = folder.load();
  return {
    problems: diagnostics.map(({ severity, line, message }) => `${severity} ${line}: ${message}`),
    unanswered: plan?.workers[0]?.unanswered,
  };
}

test('what happens without an answer is what the worker says, else what the configuration does', () => {
  assert.deepEqual(load(''), { problems: [], unanswered: undefined });
  assert.deepEqual(load('', 'if_unanswered: fail', 'after: 1h'), {
    problems: [],
    unanswered: { instead: 'fail', afterMs: 3_600_000 },
  });
  const config = 'if_unanswered: deny\nafter: 10m';
  assert.deepEqual(load(config).unanswered, { instead: 'deny', afterMs: 600_000 });
  assert.deepEqual(load(config, 'after: 5m').unanswered, { instead: 'deny', afterMs: 300_000 });
  assert.deepEqual(load(config, 'if_unanswered: skip').unanswered, {
    instead: 'skip',
    afterMs: 600_000,
  });
  assert.deepEqual(load(config, 'if_unanswered: wait').unanswered, undefined);
});

test('a default without its time is a mistake, and a time without a default a warning', () => {
  assert.match(
    load('', 'if_unanswered: fail').problems.join('\n'),
    /error 2: if_unanswered: fail needs a time/,
  );
  assert.match(
    load('if_unanswered: skip').problems.join('\n'),
    /error 2: if_unanswered: skip needs a time/,
  );
  assert.match(load('', 'after: 1h').problems.join('\n'), /warning 2: after: nothing happens then/);
});

test('work that must be reviewed is not skipped when nobody reviews it', () => {
  const said = load('', 'review: human', 'if_unanswered: skip', 'after: 1h').problems.join('\n');
  assert.match(said, /error 3: if_unanswered: skip is refused for a worker that must be reviewed/);
  const byConfig = load('if_unanswered: skip\nafter: 1h', 'review: agent').problems.join('\n');
  assert.match(byConfig, /error 2: if_unanswered: skip is refused/);
});
