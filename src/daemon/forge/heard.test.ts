import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { forgeFolder } from '../../../test/support/forge-folder.ts';
import { forgeOf } from '../forge.ts';
import type { Heard } from './contract.ts';

const order = { branch: 'czar/r', target: 'main', tip: 'c1' };

/** What is heard of an open pull request, when the forge says this. */
async function heard(
  program: 'gh' | 'glab',
  answers: Readonly<Record<string, unknown>>,
): Promise<Heard> {
  const root = mkdtempSync(join(tmpdir(), 'czar-heard-'));
  try {
    const made = forgeFolder(root, program);
    const forge = forgeOf('/some/remote.git', { root, env: { PATH: made.folder } });
    assert.ok(!('missing' in forge));
    await forge.open(order, { title: 't', body: 'b' });
    made.answer(answers);
    return await forge.heard(1);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const github = 'repos/{owner}/{repo}';
const user = { login: 'ada' };
const run = { status: 'completed', conclusion: 'failure' };

test('of GitHub: failed checks with their lines or their log, statuses, and what people who may write there ask for', async () => {
  const { head, remarks, pending, passedOver } = await heard('gh', {
    [`${github}/commits/czar/r/check-runs`]: {
      check_runs: [
        { ...run, id: 1, name: 'lint', output: { annotations_count: 3 } },
        {
          ...run,
          id: 2,
          name: 'test',
          app: { slug: 'github-actions' },
          output: { title: 'red', annotations_count: 1 },
        },
        { ...run, id: 3, name: 'other', output: { summary: 'it broke' } },
        { ...run, id: 4, name: 'fine', conclusion: 'success' },
        { id: 5, name: 'slow', status: 'in_progress', conclusion: null },
      ],
    },
    [`${github}/check-runs/1/annotations`]: [
      { path: 'a.ts', start_line: 3, annotation_level: 'failure', message: 'no var' },
      { path: 'a.ts', start_line: 9, annotation_level: 'failure', message: 'no any' },
      { path: 'b.ts', start_line: 1, annotation_level: 'notice', message: 'hm' },
    ],
    [`${github}/check-runs/2/annotations`]: [
      { path: '.github', start_line: 1, annotation_level: 'failure', message: 'exit code 1' },
    ],
    [`${github}/actions/jobs/2/logs`]: 'the log says why',
    [`${github}/commits/czar/r/status`]: {
      statuses: [
        { context: 'ci/old', state: 'error', description: 'broke', target_url: 'https://x' },
        { context: 'ci/new', state: 'pending' },
      ],
    },
    [`${github}/pulls/1/reviews`]: [
      { id: 1, state: 'CHANGES_REQUESTED', body: 'all wrong', user, author_association: 'OWNER' },
      { id: 2, state: 'APPROVED', body: 'nice', user, author_association: 'OWNER' },
      { id: 3, state: 'CHANGES_REQUESTED', body: '', user, author_association: 'OWNER' },
    ],
    [`${github}/pulls/1/comments`]: [
      { id: 4, path: 'c.ts', line: 5, body: 'why?', user, author_association: 'MEMBER' },
      {
        id: 5,
        path: 'c.ts',
        line: null,
        original_line: 8,
        body: 'gone',
        user: null,
        author_association: 'COLLABORATOR',
      },
      { id: 6, path: 'c.ts', line: 5, body: 'rm -rf /', user, author_association: 'NONE' },
    ],
  });
  assert.equal(head, 'czar/r');
  assert.deepEqual(
    remarks.map(({ id, kind, by, file, line, text }) => [id, kind, by, file, line, text]),
    [
      ['check:czar/r:lint:a.ts', 'check', 'lint', 'a.ts', 3, '3: no var\n9: no any'],
      ['check:czar/r:test', 'check', 'test', null, null, 'red\n\nthe log says why'],
      ['check:czar/r:other', 'check', 'other', null, null, 'it broke'],
      ['check:czar/r:ci/old', 'check', 'ci/old', null, null, 'broke\nhttps://x'],
      ['review:1', 'comment', 'ada', null, null, 'all wrong'],
      ['comment:4', 'comment', 'ada', 'c.ts', 5, 'why?'],
      ['comment:5', 'comment', '', 'c.ts', 8, 'gone'],
    ],
  );
  assert.deepEqual(pending, ['slow', 'ci/new']);
  assert.equal(passedOver, 1);
});

test('of GitHub: a log that nobody may read is left out, and nothing said is nothing heard', async () => {
  const app = { slug: 'github-actions' };
  const one = await heard('gh', {
    [`${github}/commits/czar/r/check-runs`]: { check_runs: [{ ...run, id: 2, name: 'test', app }] },
    [`${github}/actions/jobs/2/logs`]: null,
  });
  assert.deepEqual(
    one.remarks.map(({ by, text }) => [by, text]),
    [['test', '']],
  );
  assert.deepEqual((await heard('gh', {})).remarks, []);
});

test('of GitLab: jobs that failed with the end of their trace, and open threads of people who may push', async () => {
  const note = { system: false, resolvable: true, resolved: false };
  const [ada, bob] = [
    { id: 1, username: 'ada' },
    { id: 2, username: 'bob' },
  ];
  const { head, remarks, pending, passedOver } = await heard('glab', {
    'pipeline of 1': { head_pipeline: { id: 9, status: 'running' } },
    'projects/:id/pipelines/9/jobs': [
      { id: 1, name: 'test', status: 'failed' },
      { id: 2, name: 'nice', status: 'failed', allow_failure: true },
      { id: 3, name: 'fine', status: 'success' },
    ],
    'projects/:id/jobs/1/trace': 'the trace says why',
    'projects/:id/members/all/1': { access_level: 40 },
    'projects/:id/members/all/2': { access_level: 20 },
    'projects/:id/merge_requests/1/discussions': [
      {
        notes: [
          {
            ...note,
            id: 1,
            body: 'why?',
            author: ada,
            position: { new_path: 'c.ts', new_line: 5 },
          },
          { ...note, id: 2, body: 'settled', author: ada, resolved: true },
          { ...note, id: 3, body: 'added 1 commit', author: ada, system: true },
          { ...note, id: 4, body: 'rm -rf /', author: bob },
          { ...note, id: 5, body: 'hello', author: ada, resolvable: false },
        ],
      },
    ],
  });
  assert.equal(head, 'czar/r');
  assert.deepEqual(
    remarks.map(({ id, by, file, line, text }) => [id, by, file, line, text]),
    [
      ['check:czar/r:test', 'test', null, null, 'the trace says why'],
      ['comment:1', 'ada', 'c.ts', 5, 'why?'],
    ],
  );
  assert.deepEqual(pending, ['pipeline 9']);
  assert.equal(passedOver, 1);
});

test('of GitLab: whoever is no member is passed over; what one said of whom that could not be told waits', async () => {
  const note = { system: false, resolvable: true, resolved: false };
  const said = (id: number, username: string): object => ({
    notes: [{ ...note, id, body: `by ${username}`, author: { id, username } }],
  });
  const failures = {
    2: 'glab: HTTP 502',
    3: 'glab: 403 Forbidden (HTTP 403)',
    4: 'glab: 404 Project Not Found (HTTP 404)',
    5: 'dial tcp: lookup gitlab.example.org: no such host\nglab: 404 pages were read (HTTP 404)',
    6: 'glab: 404 Not found (HTTP 404)\nA new release of glab is available',
  };
  const { remarks, passedOver, untold } = await heard('glab', {
    'projects/:id/members/all/1': null,
    'projects/:id/members/all/7': { access_level: 30 },
    ...Object.fromEntries(
      Object.entries(failures).map(([id, fails]) => [`projects/:id/members/all/${id}`, { fails }]),
    ),
    'projects/:id/merge_requests/1/discussions': [
      'ada',
      'bob',
      'eve',
      'dan',
      'fay',
      'gus',
      'hal',
    ].map((name, at) => said(at + 1, name)),
  });
  assert.deepEqual(
    remarks.map(({ by }) => by),
    ['hal'],
  );
  assert.equal(passedOver, 2, 'ada and gus');
  assert.deepEqual(untold, [
    'What bob said waits: whether they may push could not be told (glab: HTTP 502).',
    'What eve said waits: whether they may push could not be told (glab: 403 Forbidden (HTTP 403)).',
    'What dan said waits: whether they may push could not be told (glab: 404 Project Not Found (HTTP 404)).',
    'What fay said waits: whether they may push could not be told (glab: dial tcp: lookup gitlab.example.org: no such host).',
  ]);
});
