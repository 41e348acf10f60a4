import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { reviewSchema } from '../src/report/review-schema.ts';
import { only, statesOf } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

/** An agent that writes its work, and as a reviewer says what the shell text `verdict` makes of its review's number. */
function script(work: string, verdict: string): string {
  return `if [ -z "$CZAR_REVIEW" ]; then
${work}
else
${verdict}
fi\n`;
}

function says(verdict: string, findings = '[]', summary = ''): string {
  return `printf '{"review":"%s","verdict":"${verdict}","summary":"${summary}","findings":${findings}}\\n' "$CZAR_REVIEW_KEY"`;
}

const config = 'max_rework: 3\n';
const launcher = join(import.meta.dirname, '../bin/czar');

test('a reviewer asks for changes once; its findings go back word for word, and the change that it approves is merged', async () => {
  await using scratch = await Scratch.make();
  const finding = '[{"severity":"high","file":"a.txt","line":1,"text":"say please"}]';
  scratch.scripted(
    script(
      'if grep -q "say please" "$CZAR_PROMPT_FILE"; then echo please > a.txt; else echo now > a.txt; fi',
      `grep -qx 'please' a.txt && { ${says('approve')}; echo '{"type":"usage","input_tokens":30,"output_tokens":3}'; exit 0; }
grep -q 'You review what the worker' "$CZAR_PROMPT_FILE" || exit 3
grep -q '+now' "$CZAR_PROMPT_FILE" || exit 4
[ "$(git rev-parse --show-toplevel)" = "$PWD" ] || exit 5
echo 'changed by a reviewer' > a.txt
czar approve --all && exit 6
czar emit checkpoint sly && exit 7
${says('approve', finding, 'rude')}`,
    ),
    config,
  );
  scratch.worker('a', 'mission: Ask for it\nreview: agent');
  scratch.commitAll();
  const { code, stdout, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stdout + stderr);
  assert.match(stderr, /a is looked at by script \(review 1\)/);
  assert.match(stderr, /a: script asks for changes \(1 finding\)/);
  assert.match(
    stderr,
    /a reviewing → ready \(sent back \(1 of 3\): script asks for changes: rude\)/,
  );
  assert.deepEqual(statesOf(scratch.log(), 'a').slice(-4), [
    'verifying',
    'reviewing',
    'merging',
    'complete',
  ]);
  const { run, data } = only(scratch.log(), 'run.started');
  assert.equal(scratch.git('show', `${data.integration}:a.txt`), 'please');
  const prompt = readFileSync(join(scratch.repo, '.czar/runs', run, 'a/2/prompt.md'), 'utf8');
  assert.match(prompt, /high a\.txt:1: say please/);
  const { worker } = JSON.parse((await scratch.czar('status', 'a', '--json')).stdout);
  assert.equal(worker.tokens.used, 33, 'what reviewers use counts for the worker');
  assert.equal(worker.review, 'approved');
  const document = JSON.parse((await scratch.czar('review', 'a', '--json')).stdout);
  assert.equal(reviewSchema.parse(document).verdicts.length, 1);
});

test('a person reviews: the run waits, comments on lines go back, and an approval lets it be merged', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    'grep -q "a.txt:1: shorter" "$CZAR_PROMPT_FILE" && echo x > a.txt || echo long > a.txt\n',
    config,
  );
  scratch.worker('a', 'review: human');
  scratch.worker('b', 'dependencies: [a]');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  const inbox = await scratch.czar('inbox');
  assert.match(inbox.stdout, /a: review/);
  assert.match(inbox.stdout, /czar review a --approve/);
  assert.match((await scratch.czar('why', 'a')).stdout, /waits for a person's review/);
  const shown = await scratch.czar('review', 'a');
  assert.match(shown.stdout, /a\.txt/);
  const other = await scratch.czar('approve', 'a');
  assert.equal(other.code, 4);
  assert.match(other.stderr, /czar review a --approve/);
  assert.equal((await scratch.czar('review', 'a', '--approve', '--request-changes')).code, 2);
  assert.equal((await scratch.czar('review', 'a', '--request-changes')).code, 2, 'says nothing');
  assert.equal((await scratch.czar('review', 'b', '--approve')).code, 4);
  const comments = join(scratch.base, 'comments');
  writeFileSync(comments, 'no comment\n');
  const wrong = await scratch.czar('review', 'a', '--comments', comments);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /comments:1/);
  writeFileSync(comments, 'a.txt:1: shorter\n');
  assert.equal((await scratch.czar('review', 'a', '--comments', comments)).code, 0);
  assert.equal((await scratch.czar('run')).code, 5, 'what was made anew is looked at anew');
  assert.equal((await scratch.czar('review', 'a', '--approve', '-m', 'good')).code, 0);
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  const merged = scratch.log().find((event) => event.type === 'worker.merged').data.commit;
  assert.equal(scratch.git('show', `${merged}:a.txt`), 'x');
});

test('faults 1 and 90: a loop that is killed finds the review that goes on, and never starts it twice; two silent ones ask a person', async () => {
  await using scratch = await Scratch.make();
  const mark = join(scratch.base, 'reviews');
  scratch.scripted(
    script(
      'echo a > a.txt',
      `echo "$CZAR_REVIEW" >> ${mark}
[ "$CZAR_REVIEW" != 1 ] || while [ ! -e ${mark}.go ]; do sleep 0.05; done
[ "$CZAR_REVIEW" = 1 ] || exit 9`,
    ),
    config,
  );
  scratch.worker('a', 'review: agent');
  scratch.commitAll();
  const first = scratch.start('run');
  await scratch.happened('review.started', 'a');
  while (!existsSync(mark)) await new Promise((resolve) => setImmediate(resolve));
  scratch.killLoop(first);
  await first.finished;
  const second = scratch.start('run');
  writeFileSync(`${mark}.go`, '');
  const { code, stdout } = await second.finished;
  assert.equal(code, 5, stdout);
  assert.match(stdout, /2 reviews gave no verdict/);
  assert.equal(readFileSync(mark, 'utf8'), '1\n2\n');
  const checks = join(scratch.base, 'cache/czar/checks');
  assert.deepEqual(
    readdirSync(checks).filter((name) => name.startsWith('review-')),
    [],
  );
});

test('a review that hangs ends with its whole tree at the time limit of its worker; after the second a person is asked', async () => {
  await using scratch = await Scratch.make();
  const left = join(scratch.base, 'left');
  scratch.scripted(
    script('echo a > a.txt', `sleep 600 & echo "$!" >> ${left}; trap '' TERM; wait; wait`),
    'max_rework: 0\ngrace: 100ms\n',
  );
  scratch.worker('a', 'review: agent\ntimeout: 3s');
  scratch.commitAll();
  const { code, stdout, stderr } = await scratch.czar('run');
  assert.equal(code, 5, stdout + stderr);
  const missed = scratch.log().filter(({ type }) => type === 'review.inconclusive');
  assert.deepEqual(
    missed.map(({ data }) => [data.reason, data.counts]),
    [
      ['it took longer than 3 s', true],
      ['it took longer than 3 s', true],
    ],
  );
  const pids = readFileSync(left, 'utf8').trim().split('\n');
  assert.equal(pids.length, 2);
  for (const pid of pids) assert.throws(() => process.kill(Number(pid), 0), /ESRCH/);
  const inbox = await scratch.czar('inbox');
  assert.match(inbox.stdout, /a: inconclusive.*\n.*2 reviews gave no verdict/);
});

test('fault 3: killed before and after it ends a review that nobody waits for any more, it is ended once and nothing of it is left', async () => {
  await using scratch = await Scratch.make({ through: 'terminal' });
  const mark = join(scratch.base, 'looking');
  scratch.scripted(
    script(
      'grep -q "sign it" "$CZAR_PROMPT_FILE" && echo me > signed; echo a > a.txt',
      `if [ -e signed ]; then ${says('approve')}; else echo $$ > ${mark}.part; mv ${mark}.part ${mark}; exec sleep 600; fi`,
    ),
    config,
  );
  scratch.worker('a', 'review: agent');
  scratch.commitAll();
  scratch.env['CZAR_CRASH_AT'] = 'review:before-end';
  const first = scratch.start('run');
  const looking = Number(await scratch.appears(mark));
  await scratch.happened('review.started', 'a');
  delete scratch.env['CZAR_CRASH_AT'];
  await scratch.czar('review', 'a', '--request-changes', '-m', 'sign it');
  const ended = await first.finished;
  assert.ok(ended.signal === 'SIGKILL' || ended.code === 137, ended.stderr);
  assert.equal(process.kill(looking, 0), true, 'it is looking still');
  scratch.env['CZAR_CRASH_AT'] = 'review:after-end';
  const second = await scratch.czar('run');
  assert.ok(second.signal === 'SIGKILL' || second.code === 137, second.stderr);
  assert.throws(() => process.kill(looking, 0), 'it is gone');
  delete scratch.env['CZAR_CRASH_AT'];
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  const said = scratch.log().filter(({ type }) => type.startsWith('review.'));
  assert.deepEqual(
    said.map(({ type, data }) => `${type} ${data.n ?? data.reviewer}`),
    [
      'review.started 1',
      'review.changes_requested user',
      'review.inconclusive 1',
      'review.started 2',
      'review.approved 2',
    ],
  );
});

test('comments are written in an editor, and what cannot be read or taken stays where it was written', async (t) => {
  // Of util-linux; elsewhere its options are others.
  if (spawnSync('script', ['--version']).status !== 0) {
    t.skip('there is no script, which gives a terminal');
    return;
  }
  await using scratch = await Scratch.make();
  scratch.scripted('echo "$CZAR_ATTEMPT" > a.txt\n', config);
  scratch.worker('a', 'review: human');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  const editor = join(scratch.base, 'editor.sh');
  scratch.env['EDITOR'] = `/bin/sh ${editor}`;
  const review = (writes: string): { code: number | null; said: string } => {
    writeFileSync(editor, `grep -q '#  a.txt | 1 +' "$1" && printf '${writes}' > "$1"\n`);
    const args = ['-qec', `${launcher} review a --editor --request-changes`, '/dev/null'];
    const { status, stdout } = spawnSync('script', args, {
      cwd: scratch.repo,
      env: scratch.env,
      encoding: 'utf8',
    });
    return { code: status, said: stdout };
  };
  const wrong = review('please mend\\na.txt:1: high: why 1?\\n');
  assert.equal(wrong.code, 2, wrong.said);
  const [, file = ''] = /at (\S+comments\.txt):1/.exec(wrong.said) ?? [];
  assert.match(readFileSync(file, 'utf8'), /why 1\?/);
  rmSync(dirname(file), { recursive: true });
  const { code, said } = review('a.txt:1: high: why 1?\\n');
  assert.equal(code, 0, said);
  const asked = only(scratch.log(), 'review.changes_requested').data.findings;
  assert.deepEqual(asked, [{ severity: 'high', file: 'a.txt', line: 1, text: 'why 1?' }]);
});
