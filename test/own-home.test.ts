/** `home: own`: an attempt has a home folder of its own, with nothing of the user's but what is named. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const recorded = fileURLToPath(new URL('fixtures/agents/claude-2.1.330', import.meta.url));

/** Files in the user's home, of which an agent may have one, and the script that is the agent. */
function atHome(scratch: Scratch, script: string, yaml: string): void {
  const home = join(scratch.base, 'home');
  mkdirSync(join(home, '.tool'), { recursive: true });
  writeFileSync(join(home, '.tool/login'), 'mine', { mode: 0o600 });
  writeFileSync(join(home, '.private'), 'not for agents');
  scratch.env['XDG_CONFIG_HOME'] = join(home, '.config');
  const file = join(home, 'agent.sh');
  writeFileSync(file, `SEEN=${home}/seen\n${script}`);
  scratch.write(
    '.czar/config.yaml',
    `agents:\n  default: mine\n  define:\n    mine: {${yaml}, command: [/bin/sh, ${file}]}\n    plain: {adapter: command, command: [/bin/sh, ${file}]}\n`,
  );
}

const look =
  'echo "$CZAR_WORKER $HOME ${XDG_CONFIG_HOME-none} $(cd && find . -type f | sort | tr "\\n" " ")" >>"$SEEN"\n';

test('its home holds copies of what is named alone, and what it writes there does not reach the user’s', async () => {
  await using scratch = await Scratch.make();
  atHome(
    scratch,
    `${look}[ $CZAR_WORKER = b ] || { echo changed >"$HOME/.tool/login"; echo new >"$HOME/.new"; }\n`,
    'adapter: command, home: own, home_files: [.tool/]',
  );
  scratch.worker('a');
  scratch.worker('b', 'agent: plain\ndependencies: [a]');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  const home = join(scratch.base, 'home');
  const [a = '', b = ''] = readFileSync(join(home, 'seen'), 'utf8').trim().split('\n');
  const own = /^a (\S+\/\.czar\/runs\/[^/]+\/a\/1\/home) none \.\/\.tool\/login$/.exec(
    a.trim(),
  )?.[1];
  assert.ok(own !== undefined, a);
  assert.equal(statSync(own).mode & 0o077, 0);
  assert.equal(statSync(join(own, '.tool/login')).mode & 0o077, 0);
  assert.match(b, new RegExp(`^b ${home} ${home}/\\.config .*\\./\\.private`));
  assert.equal(readFileSync(join(home, '.tool/login'), 'utf8'), 'mine');
});

test('a file that is named and not there fails the launch for good, in a sentence', async () => {
  await using scratch = await Scratch.make();
  atHome(scratch, look, 'adapter: command, home: own, home_files: [.tool/missing]');
  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 1);
  const { error, final } = only(scratch.log(), 'worker.error').data;
  assert.deepEqual([error, final], ['home_files: there is no ~/.tool/missing', true]);
});

test('an attempt that goes on in a session finds it in the home of the one before', async () => {
  await using scratch = await Scratch.make();
  atHome(
    scratch,
    `case "$*" in *--resume*) cat "$HOME/session" >>"$SEEN" ;;
*) echo "session in $CZAR_ATTEMPT" >"$HOME/session"; czar emit ask 'which one?' >/dev/null ;; esac
cat ${recorded}/commit.jsonl
`,
    'adapter: claude, home: own',
  );
  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  assert.equal((await scratch.czar('answer', 'a', 'the second')).code, 0);
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.equal(readFileSync(join(scratch.base, 'home/seen'), 'utf8'), 'session in 1\n');
  assert.equal(all(scratch.log(), 'worker.started').length, 2);
});

test('a reviewer and an agent that is tried have a home of their own too', async () => {
  await using scratch = await Scratch.make();
  atHome(
    scratch,
    `${look}[ -z "$CZAR_REVIEW" ] || printf '{"review":"%s","verdict":"approve","summary":"","findings":[]}\\n' "$CZAR_REVIEW_KEY"
[ -n "$CZAR_REVIEW" ] || echo made >made.txt\n`,
    'adapter: command, home: own, home_files: [.tool/]',
  );
  scratch.worker('a', 'review: agent');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  await scratch.czar('agents', 'test', 'mine', '--yes');
  const seen = readFileSync(join(scratch.base, 'home/seen'), 'utf8').trim().split('\n');
  assert.equal(seen.length, 3);
  for (const line of seen)
    assert.match(line, /^\S+ \S+\/(?:review-)?1\/home none \.\/\.tool\/login *$/);
  assert.match(seen[1] ?? '', /\/a\/review-1\/home /);
});
