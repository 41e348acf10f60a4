/** `czar land --pr` and `--watch`, with a bare remote and a program that stands in for `gh`. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { test } from 'node:test';
import { landSchema } from '../src/report/verb-schemas.ts';
import { forgeFolder } from './support/forge-folder.ts';
import { Scratch } from './support/scratch.ts';

test('land --pr pushes what is merged and opens one pull request with the report, killed at any point; --watch records its end', async () => {
  await using scratch = await Scratch.make({ through: 'terminal' });
  const remote = join(scratch.base, 'remote.git');
  mkdirSync(remote);
  scratch.gitIn(remote, 'init', '-q', '--bare', '-b', 'main');
  scratch.scripted(
    'cp "$CZAR_PROMPT_FILE" "$HOME/$CZAR_WORKER.prompt"; echo $CZAR_WORKER > $CZAR_WORKER.txt; czar emit handoff "ask @octocat"',
    'max_rework: 1\n',
  );
  scratch.worker('a', 'role: "Thanks @octocat, closes #12"');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  const none = await scratch.czar('land', '--pr');
  assert.equal(none.code, 4);
  assert.match(none.stderr, /no remote named origin/);
  scratch.git('remote', 'add', 'origin', relative(scratch.repo, remote));
  const missing = await scratch.czar('land', '--pr');
  assert.equal(missing.code, 4);
  assert.match(missing.stderr, /neither gh nor glab/);
  assert.equal((await scratch.czar('land', '--watch')).code, 3);

  const forge = forgeFolder(scratch.base, 'gh');
  scratch.env['PATH'] = [forge.folder, scratch.env['PATH'] ?? ''].join(delimiter);
  const main = scratch.git('rev-parse', 'main');
  for (const point of ['push', 'open'].flatMap((one) => [
    `pull:before-${one}`,
    `pull:after-${one}`,
  ])) {
    scratch.env['CZAR_CRASH_AT'] = point;
    const killed = await scratch.czar('land', '--pr');
    assert.ok(killed.signal === 'SIGKILL' || killed.code === 137, `${point}: ${killed.stderr}`);
  }
  delete scratch.env['CZAR_CRASH_AT'];
  const done = landSchema.parse(await scratch.json('land', '--pr'));
  assert.ok('url' in done);
  assert.deepEqual([done.number, done.state, done.updated], [1, 'open', true]);
  const { run } = await scratch.json('status');
  assert.equal(
    scratch.gitIn(remote, 'rev-parse', run.integration),
    scratch.git('rev-parse', run.integration),
  );
  assert.equal(scratch.git('rev-parse', 'main'), main, 'nothing lands here');
  const [pull, ...others] = forge.pulls();
  assert.deepEqual(others, []);
  assert.deepEqual([pull?.head, pull?.base], [run.integration, 'main']);
  assert.match(pull?.body ?? '', /Deliverables|Summary/i);
  assert.match(pull?.body ?? '', /octocat/);
  assert.doesNotMatch(pull?.body ?? '', /@octocat|#12/);

  // What is said of a line goes back to whose it is, what comes of that is pushed, and nobody is asked.
  forge.remoteAt(remote);
  const by = { user: { login: 'ada' }, author_association: 'OWNER' };
  const comment = { id: 5, path: 'a.txt', line: 1, body: 'say hello @octocat', ...by };
  forge.answer({
    'repos/{owner}/{repo}/pulls/1/comments': [comment],
    'merges what is updated': true,
  });
  const end = landSchema.parse(await scratch.json('land', '--watch'));
  assert.ok('url' in end);
  assert.equal(end.state, 'merged');
  const { workers, run: after } = await scratch.json('status');
  assert.deepEqual(
    workers.map(({ id, state }: { id: string; state: string }) => [id, state]),
    [
      ['a', 'complete'],
      ['a-pull-1', 'complete'],
    ],
  );
  assert.equal(after.state, 'complete');
  assert.equal(
    scratch.gitIn(remote, 'show', `${run.integration}:a-pull-1.txt`),
    'a-pull-1',
    'pushed again',
  );
  const prompt = readFileSync(join(scratch.base, 'home/a-pull-1.prompt'), 'utf8');
  assert.match(prompt, /a\.txt:1/);
  assert.match(prompt, /say hello @octocat/);
  const types = (await scratch.events()).flatMap(({ type }) =>
    type.startsWith('pull.') ? [type] : [],
  );
  assert.deepEqual(types, [
    'pull.requested',
    'pull.opened',
    'pull.sent_back',
    'pull.requested',
    'pull.closed',
  ]);
});
