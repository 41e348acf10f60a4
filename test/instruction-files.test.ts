/** The file that an agent reads by itself in its tree (`CLAUDE.md`, …): when czar writes it, and that it never merges. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const recorded = fileURLToPath(new URL('fixtures/agents', import.meta.url));
const names = ['CLAUDE.md', 'AGENTS.md', 'GEMINI.md', 'QWEN.md'];

/** A script that stands in for Claude Code, one for Codex, and the plan of one worker; `$SEEN` is a folder for its words. */
function standIns(
  scratch: Scratch,
  { claude, codex = 'exit 1', yaml = '' }: { claude: string; codex?: string; yaml?: string },
): void {
  const file = (name: string): string => join(scratch.base, `home/${name}.sh`);
  const first = `SEEN=${scratch.base}/home\nls >$SEEN/ls.$CZAR_ATTEMPT\n`;
  const said = (of: string): string => `cat ${recorded}/${of}\n`;
  writeFileSync(file('claude'), `${first}${claude}\n${said('claude-2.1.330/commit.jsonl')}`);
  writeFileSync(file('codex'), `${first}${codex}\n${said('codex-0.169.0/commit.jsonl')}`);
  scratch.write(
    '.czar/config.yaml',
    `agents:
  default: claude
  fallback: [codex]
  define:
    claude: {adapter: claude, command: [/bin/sh, ${file('claude')}]}
    codex: {adapter: codex, command: [/bin/sh, ${file('codex')}]}
${yaml.includes('max_rework') ? yaml : `${yaml}max_rework: 0\n`}`,
  );
}

/** Names of files of instructions that lay in the tree when the attempt began. */
function found(scratch: Scratch, attempt = 1): readonly string[] {
  const there = readFileSync(join(scratch.base, `home/ls.${attempt}`), 'utf8').split('\n');
  return names.filter((name) => there.includes(name));
}

function merged(scratch: Scratch): readonly string[] {
  const { run } = only(scratch.log(), 'run.started');
  return scratch.git('ls-tree', '-r', '--name-only', `czar/${run}-integration`).split('\n');
}

test('an agent finds who it is in the file that it reads by itself; git there does not see it, and it never merges', async () => {
  await using scratch = await Scratch.make();
  standIns(scratch, {
    claude: `cp CLAUDE.md $SEEN/told; git status --porcelain >$SEEN/status
echo hello >f.txt; git add -A; git commit -qm "feat: f"; echo more >left.txt`,
  });
  scratch.worker('a', 'role: builder');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.deepEqual(found(scratch), ['CLAUDE.md']);
  const told = readFileSync(join(scratch.base, 'home/told'), 'utf8');
  assert.match(
    told,
    /^<!-- czar wrote this file for one attempt; .* -->\nYou are the worker \*\*a\*\*/,
  );
  assert.match(told, /`WORKER_IDENTITY\.md` of this folder/);
  assert.match(told, /`czar emit handoff --file FILE`/);
  const [, prompt = ''] = /instructions in `(\/[^`]+)`/.exec(told) ?? [];
  assert.match(readFileSync(prompt, 'utf8'), /builder/);
  assert.equal(readFileSync(join(scratch.base, 'home/status'), 'utf8'), '');
  assert.deepEqual(
    merged(scratch).filter((path) => /^[^.]/.test(path)),
    ['README.md', 'f.txt', 'left.txt'],
  );
});

test('a repository’s own file stays as it is, and none is written that would hide another', async () => {
  for (const own of ['CLAUDE.md', 'claude.md', 'AGENTS.md']) {
    await using scratch = await Scratch.make();
    standIns(scratch, {
      // Also not in the attempt after one that took it away.
      claude: `[ $CZAR_ATTEMPT = 2 ] || { cp ${own} $SEEN/own; rm ${own}; czar emit ask 'Which?'; }`,
    });
    scratch.write(own, '# Build with make\n');
    scratch.worker('a');
    scratch.commitAll();
    assert.equal((await scratch.czar('run')).code, 5);
    assert.equal((await scratch.czar('answer', 'a', 'that')).code, 0);
    await scratch.czar('run');
    assert.equal(readFileSync(join(scratch.base, 'home/own'), 'utf8'), '# Build with make\n');
    assert.deepEqual(found(scratch), names.includes(own) ? [own] : []);
    assert.deepEqual(found(scratch, 2), []);
    const { work } = all(scratch.log(), 'work.collected').at(-1)?.data ?? assert.fail();
    const changed = work.changed.map(({ path, status }: any) => [path, status]);
    assert.deepEqual(changed, [[own, 'D']], 'its taking away is work');
  }
});

test('one that is committed by force sends its worker back, and what comes home is without it', async () => {
  await using scratch = await Scratch.make();
  standIns(scratch, {
    claude: `if [ $CZAR_ATTEMPT = 1 ]; then echo hello >f.txt; git add -f -A; git reset -q WORKER_IDENTITY.md
else printf '%s\\n' "$*" >$SEEN/words; git rm -q --cached CLAUDE.md; fi
git commit -qm "feat: f"`,
    yaml: 'max_rework: 1\n',
  });
  scratch.worker('a');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  const failed = all(scratch.log(), 'gate.failed').map(({ data }: any) => data.verdict);
  assert.deepEqual(
    failed.map(({ gate, files }) => [gate, ...files]),
    [
      ['ownership', 'CLAUDE.md'],
      ['protect', 'CLAUDE.md'],
    ],
  );
  const words = readFileSync(join(scratch.base, 'home/words'), 'utf8');
  assert.match(words, /CLAUDE\.md is a file that czar wrote .*git rm --cached CLAUDE\.md/);
  assert.deepEqual(found(scratch, 2), ['CLAUDE.md']);
  assert.ok(merged(scratch).includes('f.txt') && !merged(scratch).includes('CLAUDE.md'));
});

test('a file of that name that an agent writes itself is its work; what it adds to czar’s is kept aside, and said', async () => {
  await using scratch = await Scratch.make();
  standIns(scratch, {
    claude: `case $CZAR_WORKER in
b) echo '# Build with ninja' >>CLAUDE.md ;;
c) echo '# Written as it was told' >CLAUDE.md; git add -A; git commit -qm 'docs: c' ;;
esac`,
  });
  scratch.worker('b');
  scratch.worker('c', 'deliverables: [CLAUDE.md]');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  const collected = all(scratch.log(), 'work.collected');
  const of = (worker: string): any => collected.find((one) => one.worker === worker)?.data.work;
  const [left] = of('b').kept[0].leftOut;
  assert.deepEqual([left.path, left.why], ['CLAUDE.md', 'czar wrote it, and it was changed since']);
  assert.match(readFileSync(join(scratch.repo, left.aside), 'utf8'), /\n# Build with ninja\n$/);
  assert.equal(of('c').commits, 1, 'what it is to deliver is not hidden from its git');
  const { run } = only(scratch.log(), 'run.started');
  const at = `czar/${run}-integration:CLAUDE.md`;
  assert.equal(scratch.git('show', at), '# Written as it was told');

  await using other = await Scratch.make();
  standIns(other, { claude: `echo '# Build with make' >CLAUDE.md; git add -A` });
  other.worker('a');
  other.commitAll();
  // What agents are told is protected.
  assert.equal((await other.czar('run')).code, 5);
  assert.equal((await other.czar('approve', 'a', '--path', 'CLAUDE.md')).code, 0);
  assert.equal((await other.czar('run')).code, 0);
  const { work } = only(other.log(), 'work.collected').data;
  assert.deepEqual(work.committedFor.files, ['CLAUDE.md']);
  assert.ok(merged(other).includes('CLAUDE.md'));
});

test('another agent in the same tree finds its own file alone', async () => {
  await using scratch = await Scratch.make();
  standIns(scratch, {
    claude: `echo '{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":'$(($(date +%s) + 3600))'}}'
cat ${recorded}/claude-2.1.330/http429.jsonl; exit 1`,
    codex: `git status --porcelain >$SEEN/status; cp AGENTS.md $SEEN/told; echo hello >f.txt`,
  });
  scratch.worker('a');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.deepEqual(found(scratch, 1), ['CLAUDE.md']);
  assert.deepEqual(found(scratch, 2), ['AGENTS.md']);
  assert.equal(readFileSync(join(scratch.base, 'home/status'), 'utf8'), '');
  assert.match(readFileSync(join(scratch.base, 'home/told'), 'utf8'), /attempt 2/);
  assert.deepEqual(
    merged(scratch).filter((path) => names.includes(path)),
    [],
  );
});

test('with isolation: worktree none is written; in an empty workspace it is, and nothing of it is kept', async () => {
  for (const [settings, worker, expected] of [
    ['isolation: worktree\n', '', []],
    ['', 'workspace: empty', ['CLAUDE.md']],
  ] as const) {
    await using scratch = await Scratch.make();
    standIns(scratch, { claude: 'pwd >$SEEN/where', yaml: settings });
    scratch.worker('a', worker);
    scratch.commitAll();
    const { code, stderr } = await scratch.czar('run');
    assert.equal(code, 0, stderr);
    assert.deepEqual(found(scratch), expected, settings);
    assert.deepEqual((await scratch.json('kept', 'list')).kept, []);
    assert.ok(!existsSync(join(scratch.repo, 'CLAUDE.md')));
  }
});
