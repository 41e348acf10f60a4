/** `czar closeout`, `czar metrics` and `czar report`: every figure is git's or the log's. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { closeoutSchema } from '../src/report/closeout-schema.ts';
import { metricsSchema } from '../src/report/metrics-schema.ts';
import { dailySchema, weeklySchema } from '../src/report/standup-schema.ts';
import { once } from './support/once.ts';
import { Scratch } from './support/scratch.ts';

const agent = `. "$CZAR_SHELL"
case "$CZAR_WORKER/$CZAR_ATTEMPT" in
a/*)
  czarina_log_task_start 'write it'
  echo '{"type": "usage", "input_tokens": 1000, "output_tokens": 200, "cost_usd": 0.25}'
  mkdir -p src tests
  echo a > src/a.txt; echo t > tests/a.test.js; git add -A; git commit -qm 'a, first'
  echo more >> README.md; git commit -qam 'a, second'
  czarina_log_task_complete 'write it'
  czar emit handoff '<script>alert(1)</script> | the first line is in src/a.txt' ;;
b/1) echo '{"type": "usage", "input_tokens": 10, "output_tokens": 1}'; exit 3 ;;
b/*) git rm -q old.txt; cp src/a.txt b.txt ;;
c/*) echo c > both.txt ;;
d/*) until git --git-dir="$CZAR_TEST_REPO/.git" rev-parse -q --verify "refs/heads/czar/$CZAR_RUN/c" >/dev/null; do sleep 0.05; done
  echo d > both.txt ;;
esac
`;

/** A run in which `a`, `b` and `c` are merged, and `d` is in conflict with `c`. */
const stuck = once(async () => {
  const scratch = await Scratch.make();
  scratch.write('old.txt', 'old\n');
  scratch.write('keep.txt', 'keep\n');
  scratch.scripted(
    agent.replaceAll('$CZAR_TEST_REPO', scratch.repo),
    'name: figures\nchecks: "test -e keep.txt"\n',
  );
  scratch.worker('a', 'budget: {tokens: 1000}\ndeliverables: [src/]\ntasks: [write it, read it]\n');
  scratch.worker('b', 'dependencies: [a]\nbudget: {tokens: 100}\nretry: {initial: 10ms}\n');
  scratch.worker('c');
  scratch.worker('d');
  scratch.commitAll();
  const done = await scratch.czar('run');
  assert.equal(done.code, 5, done.stderr);
  return scratch;
});

/** Counts of what a commit changes against its first parent, by git. */
function filesOf(scratch: Scratch, from: string, to: string): Record<string, number> {
  const text = scratch.git('diff', '--no-renames', '--name-status', from, to);
  const lines = text === '' ? [] : text.split('\n');
  const count = (letter: string): number => lines.filter((line) => line.startsWith(letter)).length;
  return {
    created: count('A'),
    modified: count('M'),
    deleted: count('D'),
    total: lines.length,
  };
}

test('every figure of the closing report is git’s and the log’s, and the sums are sums', async () => {
  await using scratch = await stuck();
  const report = closeoutSchema.parse(await scratch.json('closeout'));
  const { run, metrics, merges } = report;
  const { base, integration } = run;

  assert.equal(run.over, false);
  assert.match(report.summary[0] ?? '', /is not over: it is waiting/);
  assert.equal(scratch.git('rev-parse', integration), run.tip);

  // Merges, in git's order, and what each brought.
  const line = scratch.git('rev-list', '--reverse', '--first-parent', `${base}..${integration}`);
  assert.deepEqual(
    merges.map((merge) => merge.commit),
    line.split('\n'),
  );
  for (const merge of merges) {
    assert.deepEqual(merge.files, filesOf(scratch, `${merge.commit}^1`, merge.commit));
    const commits = scratch.git('rev-list', '--count', `${merge.commit}^1..${merge.commit}^2`);
    assert.equal(merge.commits, Number(commits));
    const figures = metrics.workers.find(({ id }) => id === merge.worker);
    assert.deepEqual(figures?.files, merge.files);
    assert.equal(figures?.commits, merge.commits);
  }
  const brought = report.brought;
  assert.deepEqual(brought?.files, filesOf(scratch, base, integration));
  assert.equal(
    brought?.commits,
    Number(scratch.git('rev-list', '--count', `${base}..${integration}`)),
  );

  const a = metrics.workers.find(({ id }) => id === 'a');
  assert.equal(a?.commits, 2);
  assert.deepEqual(a?.files, { created: 2, modified: 1, deleted: 0, total: 3 });
  assert.equal(a?.tests_added, 1);
  assert.deepEqual(a?.budget, {
    tokens: 1000,
    limit: 1500,
    percent: 120,
    variance: 200,
    verdict: 'over_estimate',
  });
  const b = metrics.workers.find(({ id }) => id === 'b');
  assert.deepEqual(b?.files, { created: 1, modified: 0, deleted: 1, total: 2 });
  assert.equal(b?.budget.verdict, 'within');
  // What is not merged is counted as it was collected.
  const d = metrics.workers.find(({ id }) => id === 'd');
  assert.equal(d?.merged, false);
  assert.deepEqual(d?.files, { created: 1, modified: 0, deleted: 0, total: 1 });

  const events = await scratch.events();
  const times = (type: string, worker?: string): number =>
    events.filter((one) => one.type === type && (worker === undefined || one.worker === worker))
      .length;
  for (const worker of metrics.workers) {
    assert.equal(worker.attempts, times('worker.started', worker.id));
    const usage = events.filter((one) => one.type === 'worker.usage' && one.worker === worker.id);
    const used = usage.reduce((sum, { data }) => sum + data.input + data.output, 0);
    assert.equal(worker.tokens, used);
  }
  const { totals } = metrics;
  const sum = (of: (one: (typeof metrics.workers)[number]) => number): number =>
    metrics.workers.reduce((all, one) => all + of(one), 0);
  assert.equal(totals.tokens, 1211);
  assert.equal(
    totals.tokens,
    sum((one) => one.tokens),
  );
  assert.equal(
    totals.commits,
    sum((one) => one.commits),
  );
  assert.equal(
    totals.duration_ms,
    sum((one) => one.duration_ms),
  );
  assert.equal(
    totals.files.total,
    sum((one) => one.files.total),
  );
  assert.equal(totals.tests_added, 1);
  assert.equal(totals.budget.variance, 111);

  for (const gate of report.gates.filter((one) => one.gate === 'checks'))
    assert.equal(
      gate.passed,
      events.filter((one) => one.type === 'gate.passed' && one.data.verdict.gate === 'checks')
        .length,
    );
  assert.deepEqual(
    report.conflicts.map(({ worker, files, merged_later }) => ({ worker, files, merged_later })),
    [{ worker: 'd', files: ['both.txt'], merged_later: false }],
  );
  assert.deepEqual(
    report.failed_attempts.map(({ worker, attempt }) => [worker, attempt]),
    [['b', 1]],
  );
  assert.deepEqual(report.deliverables, [{ worker: 'a', path: 'src/', present: true }]);
  assert.deepEqual(
    report.tasks.map(({ task, completed_at }) => [task, completed_at !== null]),
    [
      ['write it', true],
      ['read it', false],
    ],
  );
  assert.ok(report.open.some(({ worker, next }) => worker === 'd' && next !== null));
  assert.ok(report.lessons.some((one) => /both\.txt was in conflict once/.test(one)));

  const same = metricsSchema.parse(await scratch.json('metrics'));
  assert.deepEqual(
    same.workers.map(({ id, commits, files }) => ({ id, commits, files })),
    metrics.workers.map(({ id, commits, files }) => ({ id, commits, files })),
  );
});

test('the closing report has its sections in every format, and is written without a terminal', async () => {
  await using scratch = await stuck();
  const closing = await scratch.czar('closeout', '--yes');
  assert.equal(closing.code, 0, closing.stderr);
  assert.match(closing.stdout, /> The run is not over \(it is waiting\)/);
  for (const title of [
    'Executive summary',
    'Deliverables',
    'Tasks',
    'Metrics per worker',
    'Aggregate metrics',
    'Merges',
    'Conflicts',
    'Reviews and reworks',
    'Gates',
    'Open issues',
    'Lessons',
    'Verdict on budget',
  ])
    assert.match(closing.stdout, new RegExp(`^## ${title}$`, 'm'));
  const text = (await scratch.czar('report', 'closeout', '--format', 'text')).stdout;
  assert.match(text, /^VERDICT ON BUDGET\n {2}Above the estimate/m);

  // It is over once the last worker is given up, and says so.
  assert.equal((await scratch.czar('cancel', 'd', '--yes')).code, 0);
  const over = await scratch.czar('report', 'closeout', '--format', 'md');
  assert.doesNotMatch(over.stdout, /not over/);
  assert.match(over.stdout, /ended failed after/);

  const out = join(scratch.repo, 'closeout.html');
  const html = await scratch.czar('closeout', '--out', 'closeout.html', '--yes');
  assert.equal(html.code, 0, html.stderr);
  const page = readFileSync(out, 'utf8');
  assert.match(page, /^<!doctype html>/);
  assert.match(page, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
  assert.doesNotMatch(page, /<script|<link|<img|src=|href=|@import|url\(/);
  // A file with something else in it is replaced only when that is said.
  const refused = await scratch.czar('closeout', '--out', 'closeout.html', '--format', 'md');
  assert.equal(refused.code, 4, refused.stderr);
  assert.equal(readFileSync(out, 'utf8'), page);
  const told = await scratch.json('closeout', '--out', 'closeout.json', '--yes');
  assert.deepEqual(told, { v: 1, file: join(scratch.repo, 'closeout.json'), format: 'json' });
  closeoutSchema.parse(JSON.parse(readFileSync(join(scratch.repo, 'closeout.json'), 'utf8')));
});

test('daily and weekly tell of a day and a week by the log, and every format is one of four', async () => {
  await using scratch = await stuck();
  const today = new Date().toISOString().slice(0, 10);
  const tomorrow = new Date(Date.parse(today) + 86_400_000).toISOString().slice(0, 10);
  const before = new Date(Date.parse(today) - 30 * 86_400_000).toISOString().slice(0, 10);

  const daily = dailySchema.parse(await scratch.json('report', 'daily', '--date', tomorrow));
  const done = daily.completed_yesterday.map(({ worker }) => worker).sort();
  // A run that crosses midnight has both.
  const all = [...done, ...daily.completed_today.map(({ worker }) => worker)].sort();
  assert.deepEqual(all, ['a', 'b', 'c']);
  assert.deepEqual(
    daily.blocked.map(({ worker, blocker }) => [worker, blocker]),
    [['d', 'conflict']],
  );
  const text = await scratch.czar('report', 'daily', '--date', tomorrow);
  assert.match(text.stdout, /^COMPLETED YESTERDAY\n {2}- a \(1,200 tokens/m);
  assert.match(text.stdout, /^BLOCKED\n {2}- d \(blocked\), waits on conflict/m);

  const long = dailySchema.parse(await scratch.json('report', 'daily', '--date', before));
  assert.deepEqual([long.runs, long.completed_today, long.blocked], [[], [], []]);

  const weekly = weeklySchema.parse(await scratch.json('report', 'weekly'));
  assert.deepEqual(weekly.completed.map(({ worker }) => worker).sort(), ['a', 'b', 'c']);
  assert.deepEqual(
    [weekly.metrics.workers, weekly.metrics.workers_complete, weekly.metrics.workers_percent],
    [4, 3, 75],
  );
  assert.deepEqual([weekly.metrics.budget, weekly.metrics.tokens], [1100, 1211]);
  assert.equal(weekly.blockers[0]?.worker, 'd');
  assert.equal((await scratch.czar('report', 'weekly', '--format', 'md')).code, 0);
  assert.match(
    (await scratch.czar('report', 'status', '--format', 'html')).stdout,
    /^<!doctype html>/,
  );
  assert.equal((await scratch.czar('report', 'daily', '--date', '2025-02-30')).code, 2);
  assert.equal((await scratch.czar('report', 'status', '--format', 'pdf')).code, 2);
  mkdirSync(join(scratch.base, 'folder'));
  const folder = join(scratch.base, 'folder');
  assert.equal((await scratch.czar('report', 'status', '--out', folder)).code, 2);
  assert.equal((await scratch.czar('report', 'status', '--out', `${folder}/none/a.md`)).code, 2);
  assert.equal(existsSync(`${folder}/none`), false);
});

test('use of tokens that nobody reported is not told as none, nor as within budget', async () => {
  await using scratch = await Scratch.make();
  const usage = (worker: string): string =>
    `echo $CZAR_WORKER > w-$CZAR_WORKER; [ $CZAR_WORKER != ${worker} ] || echo '{"type": "usage", "input_tokens": 90, "output_tokens": 10}'\n`;
  scratch.scripted(usage('a'));
  scratch.worker('a', 'budget: {tokens: 1000}\n');
  scratch.worker('b', 'budget: {tokens: 1000}\n');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  const partly = (await scratch.czar('closeout')).stdout;
  assert.match(
    partly,
    /Tokens used: 100 \(1 worker reported none\)\. Within budget as far as usage was reported, which is not all: 100 of 2,000/,
  );
  assert.match(partly, /\*\*Total tokens:\*\* 100 \(1 worker reported none\)/);
  assert.equal((await scratch.json('metrics')).totals.budget.verdict, 'unknown');

  scratch.scripted(usage('nobody'));
  scratch.commitAll();
  assert.equal((await scratch.czar('run', '--new')).code, 0);
  const silent = (await scratch.czar('closeout')).stdout;
  assert.match(silent, /No use of tokens was reported\. Whether it was within budget is not known/);
  assert.match((await scratch.czar('metrics')).stdout, /Total tokens: +not reported$/m);
  for (const format of ['text', 'md']) {
    const { stdout } = await scratch.czar('report', 'status', '--format', format);
    assert.match(stdout, /Tokens:(?:\*\*)? +not reported$/m, format);
    assert.match(stdout, /duration .+, tokens not reported$/m, format);
  }
  assert.match(silent, /\*\*Total\*\* \| \*\*2\/2 complete\*\* \| \S+ \| \*\*-\*\* \|/);
});

test('without a run there is nothing to report on', async () => {
  await using scratch = await Scratch.make();
  for (const args of [['closeout'], ['metrics'], ['report', 'daily'], ['report', 'weekly']])
    assert.equal((await scratch.czar(...args)).code, 3);
});
