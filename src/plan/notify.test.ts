import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { planFolder } from '../../test/support/plan-folder.ts';
import { toldByDefault } from '../core/notify.ts';
import { onlyHome } from './config-layers.ts';

const agents = 'agents: {default: mine, define: {mine: {command: [x]}}}\n';

/** Problems, and who is told. */
function load(config: string, user = '') {
  using folder = planFolder({
    'user/config.yaml': user,
    '.czar/config.yaml': `${agents}${config}\n`,
    '.czar/workers/a.md': '---\nrole: x\n---\n',
  });
  const userFile = join(folder.root, 'user/config.yaml');
  const { plan, diagnostics } = folder.load({ ...onlyHome, userFile });
  return {
    problems: diagnostics.map(({ severity, line, message }) => `${severity} ${line}: ${message}`),
    notify: plan?.policies.notify,
    revision: plan?.revision,
  };
}

test('who is told of what is one target or a list, with the events that need a person by default', () => {
  assert.deepEqual(load('notify: {command: [tell, --now]}'), {
    ...load('notify: [{command: [tell, --now]}]'),
    problems: [],
    notify: [{ to: { kind: 'command', argv: ['tell', '--now'] }, events: toldByDefault }],
  });
  const { problems, notify } = load(
    [
      'notify:',
      '  - {webhook: "https://example.test/hook?x=1", secret_env: HOOK, events: run.complete}',
      '  - {desktop: true, events: [worker.error, daemon.gave_up], workers: a}',
    ].join('\n'),
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(notify, [
    {
      to: { kind: 'webhook', url: 'https://example.test/hook?x=1', secretEnv: 'HOOK' },
      events: ['run.complete'],
    },
    { to: { kind: 'desktop' }, events: ['worker.error', 'daemon.gave_up'], workers: ['a'] },
  ]);
});

test('a target that could not be told is a mistake that is named', () => {
  const said = (target: string): string => load(`notify: ${target}`).problems.join('\n');
  const oneOf = /error 2: .*one of command, webhook and desktop/;
  assert.match(said('{}'), oneOf);
  assert.match(said('{command: [a], desktop: true}'), oneOf);
  assert.match(said('{events: run.failed}'), oneOf);
  assert.match(said('{webhook: "https://a.test"}'), /a webhook needs secret_env/);
  assert.match(said('{command: [a], secret_env: X}'), /secret_env belongs to a webhook/);
  assert.match(said('{webhook: "file:///a", secret_env: X}'), /https:\/\/ or http:\/\//);
  assert.match(said('{webhook: "nowhere", secret_env: X}'), /https:\/\/ or http:\/\//);
  assert.match(said('{webhook: "https://a:b@c.test", secret_env: X}'), /no name and password/);
  assert.match(said('{webhook: "https://a.test", secret_env: a-b}'), /name of an environment var/);
  assert.match(said('{command: []}'), /the name of a program/);
  assert.match(said('{command: [""]}'), /the name of a program/);
  assert.match(said('{desktop: false}'), /expected true/);
  assert.match(said('{desktop: true, events: all}'), /told of "all": one of approval\.requested/);
  assert.match(said('{desktop: true, events: [run.faild]}'), /did you mean run\.failed\?/);
  assert.match(said('{desktop: true, evnts: run.failed}'), /unknown key "evnts"/);
  assert.match(said('everybody'), /notify: expected a target/);
  assert.match(said('[{desktop: true}, {command: [a], webhook: b}]'), /error 2: /);
});

test('a stronger layer replaces a target, and nothing of the weaker one stays', () => {
  const { problems, notify } = load(
    'notify: {desktop: true}',
    'notify: {command: [mine], events: run.failed}\n',
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(notify, [{ to: { kind: 'desktop' }, events: toldByDefault }]);
});

test('who is told is no part of the revision: it changes while a run is live', () => {
  const plain = load('');
  assert.equal(plain.notify, undefined);
  assert.equal(load('notify: []').revision, plain.revision);
  assert.equal(load('notify: {desktop: true}').revision, plain.revision);
  assert.notEqual(load('barrier: wave').revision, plain.revision);
});
