/** Whole runs with agents that speak the protocols of Claude Code and Codex: what stands in for them prints what they printed. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { all, only, statesOf } from './support/log.ts';
import { recordedAgent } from './support/recorded-agent.ts';
import { Scratch } from './support/scratch.ts';

const recorded = fileURLToPath(new URL('fixtures/agents', import.meta.url));

/** Lets a script be the agent of this name; `$RECORDED` names what its real one printed, and `$SEEN` a file for its words. */
function standIn(scratch: Scratch, name: 'claude' | 'codex', script: string, yaml = ''): void {
  const version = name === 'claude' ? 'claude-2.1.330' : 'codex-0.169.0';
  const file = join(scratch.base, `home/${name}.sh`);
  const settings = `RECORDED=${recorded}/${version}\nSEEN=${scratch.base}/home/seen\n`;
  scratch.write(
    '.czar/config.yaml',
    `agents:\n  default: ${name}\n  define:\n    ${name}: {adapter: ${name}, command: [/bin/sh, ${file}]}\n${yaml}`,
  );
  writeFileSync(file, `${settings}printf '%s\\n' "$*" >>"$SEEN"\n${script}`);
}

const commits = 'echo hello >f.txt; git add f.txt; git commit -qm "feat: add f.txt"\n';

for (const name of ['claude', 'codex'] as const) {
  test(`${name}: its session goes on after an answer, its tokens count once, its words are its own`, async () => {
    await using scratch = await Scratch.make();
    standIn(
      scratch,
      name,
      `case "$*" in *resume*) ${commits} ;; *) czar emit ask 'which one?' >/dev/null ;; esac\ncat "$RECORDED/commit.jsonl"\n`,
    );
    scratch.worker('a', 'deliverables: [f.txt]');
    scratch.commitAll();
    assert.equal((await scratch.czar('run')).code, 5);
    const { session } = only(scratch.log(), 'attempt.session').data;
    assert.equal((await scratch.czar('answer', 'a', 'the second')).code, 0);
    const { code, stderr } = await scratch.czar('run');
    assert.equal(code, 0, stderr);
    const seen = readFileSync(join(scratch.base, 'home/seen'), 'utf8');
    const [first = '', ...rest] = seen.split(/^(?=-p |exec )/m);
    assert.doesNotMatch(first, /resume/);
    const standing = { claude: '--append-system-prompt ', codex: 'developer_instructions="' }[name];
    for (const words of [first, ...rest])
      assert.ok(
        !/^(?:-p|exec) /.test(words) || words.includes(`${standing}You are the worker **a**`),
      );
    assert.ok(rest.join('').includes(`resume ${session}`), seen);
    assert.match(rest.join(''), /Your session goes on[^]*the second/);
    const { workers } = await scratch.json('status');
    assert.equal(workers[0].tokens.used, 2 * 2181);
    assert.equal(workers[0].tokens.source, 'reported');
    const ends = all(scratch.log(), 'attempt.ended').map(({ data }) => data);
    assert.deepEqual(
      ends.map(({ judgement }) => judgement.kind),
      ['well', 'well'],
    );
    assert.equal(ends[0]?.lastWords[0], 'Step 0 of commit.');
  });
}

test('a provider that has no more is waited for: no attempt has failed, and nobody else of that agent starts', async () => {
  await using scratch = await Scratch.make();
  standIn(
    scratch,
    'claude',
    `if [ "$CZAR_WORKER/$CZAR_ATTEMPT" = a/1 ]; then
  echo '{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":'$(($(date +%s) + 3600))'}}'
  cat "$RECORDED/http429.jsonl"
  exit 1
fi
if [ "$CZAR_WORKER" = b ]; then until [ -e "$HOME/go" ]; do sleep 0.05; done; fi
cat "$RECORDED/commit.jsonl"
`,
    'retry: {max_attempts: 1}\nmax_parallel: 1\n',
  );
  scratch.worker('a');
  scratch.worker('b');
  scratch.commitAll();
  const run = scratch.start('run');
  await scratch.happened('worker.ready', 'a', 1);
  const { workers } = await scratch.json('status');
  assert.deepEqual(
    workers.map((one: any) => one.waiting_for),
    ['quota', 'quota'],
  );
  assert.match(
    (await scratch.czar('why', 'a')).stdout,
    /no quota left; it is tried again in \d+ s/,
  );
  // A person who resumes it knows that there is quota again.
  for (const verb of ['pause', 'resume']) assert.equal((await scratch.czar(verb, 'a')).code, 0);
  writeFileSync(join(scratch.base, 'home/go'), '');
  const { code, stderr } = await run.finished;
  assert.equal(code, 0, stderr);
  assert.deepEqual(all(scratch.log(), 'worker.error'), []);
  assert.deepEqual(
    statesOf(scratch.log(), 'a').filter((state) => state === 'starting'),
    ['starting', 'starting'],
  );
});

test('what an agent was not allowed is told and on record, and a wrong key fails for good', async () => {
  await using scratch = await Scratch.make();
  standIn(
    scratch,
    'claude',
    'case $CZAR_WORKER in a) cat "$RECORDED/denied.jsonl" ;; b) cat "$RECORDED/http401.jsonl"; exit 1 ;; esac\n',
    'permissions: work\nallow: ["make *"]\n',
  );
  scratch.worker('a', 'verify: test -f README.md');
  scratch.worker('b');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 1);
  assert.match(stderr, /a may not: Bash printf .*git commit/);
  const { data } = only(scratch.log(), 'permission.denied');
  assert.deepEqual([data.tool, data.by], ['Bash', 'policy']);
  const seen = readFileSync(join(scratch.base, 'home/seen'), 'utf8');
  assert.match(
    seen,
    /--allowedTools Bash\(make \*\) Bash\(test -f README\.md\) Write Edit mcp__czar --/,
  );
  assert.match(
    seen,
    /--mcp-config \{"mcpServers":\{"czar":\{.* --permission-prompt-tool mcp__czar__approve/,
  );
  assert.doesNotMatch(seen, /dangerously/);
  const error = only(scratch.log(), 'worker.error').data;
  assert.deepEqual(
    [error.error, error.final],
    ['Failed to authenticate. API Error: 401 scripted 401', true],
  );
});

test('an agent that is not installed is an error before anything starts, with those that are', async () => {
  await using scratch = await Scratch.make();
  recordedAgent(scratch, 'goose', 'exit 1');
  for (const [name, program] of [
    ['claude', 'claude'],
    ['aider', 'aider'],
    ['mine', 'no-such-program'],
  ] as const) {
    scratch.write(
      '.czar/config.yaml',
      `agents: {default: ${name}, define: {mine: {adapter: command, command: [no-such-program]}}}\n`,
    );
    scratch.worker('a');
    const { code, stderr } = await scratch.czar('run');
    assert.equal(code, 2);
    const what = `the agent ${name} cannot be started: ${program} is not on the PATH; needed by a`;
    assert.ok(stderr.includes(what), stderr);
    assert.match(stderr, /install it, or name another agent \(here: [^)]*\bgoose\b/);
    assert.equal((await scratch.czar('status')).code, 3);
  }
});
