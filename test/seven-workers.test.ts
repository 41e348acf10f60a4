/** Seven workers in four waves, and everything that can be mended goes wrong once: nobody is asked. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { workerStatusSchema } from '../src/report/status-schema.ts';
import { only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

/**
 * `patterns` conflicts with `workflows` and drops its line at first, `security` fails together with `testing`, a
 * reviewer rejects the first `templates`, and the check of `qa` hangs once.
 */
function script(log: string): string {
  const merged = (worker: string): string =>
    `while ! grep -q "${worker} WORKER_COMPLETE" ${log}; do sleep 0.05; done`;
  return `
says() { printf '{"review":"%s","verdict":"%s","summary":"%s","findings":[]}\\n' "$CZAR_REVIEW_KEY" "$1" "$2"; }
if [ -n "$CZAR_REVIEW" ]; then
  if grep -q 'Lines of others that are gone' "$CZAR_PROMPT_FILE"; then says changes_requested "bring workflows back"
  elif [ -e templates.txt ] && ! grep -q please templates.txt; then says changes_requested "say please"
  else says approve ""; fi
  exit
fi
case $CZAR_WORKER/$CZAR_ATTEMPT in
patterns/1) ${merged('workflows')}; echo patterns > index.txt; git commit -qam patterns;;
patterns/2) git merge -q refs/czar/integration; echo patterns > index.txt; git commit -qam 'ours is enough';;
patterns/*) printf 'workflows\\npatterns\\n' > index.txt; git commit -qam both;;
workflows/*) echo workflows > index.txt;;
testing/*) echo strict > testing.txt;;
security/1) ${merged('testing')}; echo loose > security.txt;;
security/*) echo firm > security.txt;;
templates/1) echo now > templates.txt;;
templates/*) echo please > templates.txt;;
*) echo "$CZAR_WORKER" > "$CZAR_WORKER.txt";;
esac
`;
}

test('a plan of seven workers with a conflict, a red combination, a reviewer who rejects and a check that hangs ends with everything merged, and nobody was asked', async () => {
  await using scratch = await Scratch.make();
  const log = join(scratch.repo, '.czar/logs/events.log');
  scratch.scripted(
    script(log),
    `max_rework: 3
merge_queue: speculative
max_parallel_checks: 3
check_timeout: 8s
grace: 1s
flaky: { retries: 1 }
checks: ["sh check.sh"]
`,
  );
  scratch.write('index.txt', 'index\n');
  scratch.write(
    'check.sh',
    `#!/bin/sh
if [ -e qa.txt ] && mkdir ${join(scratch.base, 'hung')} 2>/dev/null; then sleep 600; fi
! { grep -qs strict testing.txt && grep -qs loose security.txt; }
`,
  );
  scratch.worker('foundation');
  for (const id of ['workflows', 'patterns', 'testing', 'security'])
    scratch.worker(id, 'dependencies: [foundation]');
  scratch.worker(
    'templates',
    'dependencies: [workflows, patterns, testing, security]\nreview: agent',
  );
  scratch.worker('qa', 'role: qa');
  scratch.commitAll();

  const { code, stdout, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stdout + stderr);
  const { integration } = only(scratch.log(), 'run.started').data;
  const shown = (file: string): string => scratch.git('show', `${integration}:${file}`);
  assert.equal(shown('index.txt'), 'workflows\npatterns');
  assert.equal(shown('security.txt'), 'firm');
  assert.equal(shown('templates.txt'), 'please');
  assert.equal(shown('qa.txt'), 'qa');

  const kindsOf = async (worker: string): Promise<readonly string[]> => {
    const document = workerStatusSchema.parse(await scratch.json('status', worker));
    return document.worker.reworks.map(({ kind }) => kind);
  };
  assert.deepEqual(await kindsOf('patterns'), ['conflict', 'review']);
  assert.deepEqual(await kindsOf('security'), ['gate']);
  assert.deepEqual(await kindsOf('templates'), ['review']);
  assert.deepEqual(await kindsOf('qa'), []);
  assert.match(stderr, /patterns: its resolution removed 1 line of workflows in index\.txt/);
  assert.match(stderr, /qa: checks is flaky, it passed on try 2: sh check\.sh/);
  assert.match((await scratch.czar('inbox')).stdout, /Nothing waits for you/);
  assert.equal((await scratch.czar('check', 'integration')).code, 0);
});
