/** Secrets that an agent is given: it may print them as it likes, and they are stored and shown nowhere. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const secret = 'sk-test-8d1c/"quoted"-f00d';
const pin = 'x4711';

/** An agent of the user's that is handed both, under names of which only one says what it is. */
function withSecrets(scratch: Scratch, script: string): void {
  scratch.env['MY_API_KEY'] = secret;
  scratch.env['DOOR'] = pin;
  scratch.write('.czar/agent.sh', script);
  const file = JSON.stringify(join(scratch.repo, '.czar/agent.sh'));
  scratch.write(
    '.czar/config.yaml',
    `redact: [DOOR]
retry: {max_attempts: 2, initial: 0s}
agents:
  default: mine
  define:
    mine: {adapter: command, command: [/bin/sh, ${file}, '{prompt}'], env: [MY_API_KEY, DOOR]}
`,
  );
}

/** Every file below a folder that holds the text. */
function filesWith(folder: string, text: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const file = join(folder, name);
    return statSync(file).isFile() && readFileSync(file).includes(text);
  });
}

test('what an agent prints of its secrets is in no event, prompt, log or view; only its raw output, for its user alone, has it', async () => {
  await using scratch = await Scratch.make();
  withSecrets(
    scratch,
    `czar emit checkpoint "key $MY_API_KEY door $DOOR"
czar emit handoff "use $MY_API_KEY"
printf 'printed %s' "\${MY_API_KEY%-f00d}"
printf '%s\\n' "-f00d and $DOOR"
printf 'error %s\\n' "$MY_API_KEY" >&2
[ "$CZAR_ATTEMPT" = 2 ] || exit 3
echo done >done.txt
`,
  );
  scratch.worker('a', 'verify: echo checked $MY_API_KEY');
  scratch.commitAll();
  const { code, stderr, stdout } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  const [error] = all(scratch.log(), 'worker.error').map(({ data }) => data.error);
  assert.equal(error, 'it ended with exit code 3: error [MY_API_KEY]');
  assert.deepEqual(
    all(scratch.log(), 'worker.checkpoint').map(({ data }) => data.name),
    ['key [MY_API_KEY] door [DOOR]', 'key [MY_API_KEY] door [DOOR]'],
  );
  const views = [stdout, stderr];
  for (const args of [
    ['events', '--json'],
    ['status', 'a'],
    ['logs', 'a'],
    ['logs', 'a', '--json'],
    ['logs', 'a', '--raw', '--attempt', '1'],
  ])
    views.push((await scratch.czar(...args)).stdout);
  assert.match(views[4] ?? '', /printed \[MY_API_KEY\] and \[DOOR\]/);
  for (const view of views) for (const one of [secret, pin]) assert.ok(!view.includes(one), view);
  for (const one of [secret, pin]) {
    // What the shell that started it wrote, and the report that it made itself.
    const raw = /^runs\/[^/]+\/a\/[12]\/(?:output|errors|report)$/;
    const files = filesWith(join(scratch.repo, '.czar'), one);
    assert.deepEqual(
      files.filter((file) => !raw.test(file)),
      [],
    );
    assert.deepEqual(filesWith(join(scratch.repo, '.git'), one), []);
    for (const file of files)
      assert.equal(statSync(join(scratch.repo, '.czar', file)).mode & 0o077, 0, file);
  }
  // Whoever has other values by now, or none, still does not see them.
  scratch.env['MY_API_KEY'] = 'another-value-of-it';
  delete scratch.env['DOOR'];
  for (const args of [
    ['logs', 'a'],
    ['logs', 'a', '--json', '--attempt', '1'],
  ]) {
    const { stdout: later } = await scratch.czar(...args);
    for (const one of [secret, pin]) assert.ok(!later.includes(one), later);
    assert.match(later, /printed \[MY_API_KEY\] and \[DOOR\]/);
  }
  const checked = filesWith(join(scratch.repo, '.czar/runs'), 'checked [MY_API_KEY]');
  assert.equal(checked.length, 1, 'the log of the check is there, without it');
});

test('what a person writes of a secret does not get into the log either', async () => {
  await using scratch = await Scratch.make();
  withSecrets(scratch, 'case "$1" in *number*) ;; *) czar emit ask "which?" ;; esac\n');
  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  assert.equal((await scratch.czar('answer', 'a', `number ${secret}`)).code, 0);
  assert.equal(only(scratch.log(), 'worker.noted').data.text, 'number [MY_API_KEY]');
  assert.equal((await scratch.czar('run')).code, 0);
});
