/** Which agent gets a worker, and who takes its place: in the plan, before the start, and in the middle of a run. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const recorded = fileURLToPath(new URL('fixtures/agents/claude-2.1.330', import.meta.url));

/** Two agents of the user's own, and one that is nowhere. */
function twoAgents(scratch: Scratch, yaml: string): void {
  const file = (name: string): string => join(scratch.base, `home/${name}.sh`);
  const seen = `printf '%s %s\\n' "$CZAR_WORKER" "$*" >>${scratch.base}/home`;
  writeFileSync(
    file('claude'),
    `${seen}/claude\nif [ "$CZAR_WORKER/$CZAR_ATTEMPT" = a/1 ]; then
  echo half >half.txt
  echo '{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":'$(($(date +%s) + 3600))'}}'
  cat ${recorded}/http429.jsonl
  exit 1
fi
cat ${recorded}/commit.jsonl
`,
  );
  writeFileSync(file('spare'), `${seen}/spare\n[ ! -f half.txt ] || cat half.txt >whole.txt\n`);
  scratch.write(
    '.czar/config.yaml',
    `agents:
  define:
    claude: {adapter: claude, command: [/bin/sh, ${file('claude')}]}
    spare: {adapter: command, command: [/bin/sh, ${file('spare')}, '{prompt}']}
    absent: {adapter: command, command: [no-such-program-anywhere]}
${yaml}`,
  );
}

function wordsOf(scratch: Scratch, agent: string): string {
  return readFileSync(join(scratch.base, 'home', agent), 'utf8');
}

test('an agent without quota is replaced in mid-run by its fallback, which goes on in its tree and is told why', async () => {
  await using scratch = await Scratch.make();
  twoAgents(scratch, '  default: claude\n  fallback: [absent, spare]\n');
  scratch.worker('a', 'deliverables: [half.txt, whole.txt]\nmodel: big');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /a ready → starting \(attempt 1, claude\)/);
  const why = 'claude has no quota, absent is not installed';
  assert.ok(stderr.includes(`a ready → starting (attempt 2, spare: ${why})`), stderr);
  const [, second] = all(scratch.log(), 'worker.started').map(({ data }) => data);
  assert.deepEqual([second?.agent, second?.continues], [{ name: 'spare', why }, true]);
  assert.match(wordsOf(scratch, 'claude'), /--model big/);
  assert.match(
    wordsOf(scratch, 'spare'),
    /This is attempt 2\. You go on in the tree as it was left\. You take the place of claude \(claude has no quota, absent is not installed\)/,
  );
  const { worker } = await scratch.json('status', 'a');
  assert.deepEqual(
    worker.attempts.map(({ agent }: any) => agent),
    [null, { name: 'spare', why }],
  );
  assert.equal(worker.agent, 'spare');
  // Each attempt's output is read as its own agent writes it.
  const first = await scratch.czar('logs', 'a', '--attempt', '1');
  assert.doesNotMatch(first.stdout, /rate_limit_event/);
  assert.match((await scratch.czar('status', 'a')).stdout, /2\. .*\(spare: claude has no quota/);
});

test('an agent that is not installed is replaced before the start: run, plan show, worker show and the log say so', async () => {
  await using scratch = await Scratch.make();
  twoAgents(scratch, '  default: absent\n  fallback: [claude]\n');
  scratch.worker('b');
  scratch.worker('c', 'agent: absent\nfallback: [nobody, spare, claude]');
  scratch.worker('d', 'agent: spare');
  scratch.commitAll();
  const plan = await scratch.czar('plan', 'show');
  assert.match(plan.stdout, /b +claude +absent is not installed; that is agents\.default/);
  assert.match(
    plan.stdout,
    /c +spare +absent is not installed, nobody is not installed; .*; else claude/,
  );
  assert.match(plan.stdout, /d +spare +written in its definition; else claude/);
  const [b] = (await scratch.json('plan', 'show')).plan.workers;
  assert.deepEqual(
    [b.agent, b.fallback, b.starts_with],
    [
      { name: 'absent', why: 'agents.default' },
      ['claude'],
      { name: 'claude', why: 'absent is not installed' },
    ],
  );
  const shown = await scratch.json('worker', 'show', 'c');
  assert.equal(shown.worker.starts_with.name, 'spare');
  assert.match((await scratch.czar('worker', 'show', 'd')).stdout, /agent +spare \(written/);
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /absent is not installed \(.*\): claude works for b in its place\./);
  assert.match(stderr, /absent is not installed \(.*\): spare works for c in its place\./);
  assert.deepEqual(only(scratch.log(), 'agents.missing').data, { agents: ['absent', 'nobody'] });
  assert.match(wordsOf(scratch, 'claude'), /^b /m);
  assert.match(wordsOf(scratch, 'spare'), /^c /m);
});

test('a run whose agents are all missing is refused, fallbacks and all', async () => {
  await using scratch = await Scratch.make();
  scratch.write('.czar/config.yaml', 'agents: {default: claude, fallback: [codex]}\n');
  scratch.worker('a');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 2);
  assert.match(stderr, /the agent claude cannot be started: .*; needed by a/);
});
