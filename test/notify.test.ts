/** Notifications through the command line: a hook that writes down what it is told, in the foreground and by the daemon. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Background } from './support/background.ts';
import { Scratch } from './support/scratch.ts';
import { bothWays, usually } from './support/through.ts';

/** A repository whose one worker asks once, and whose hooks write down what they are told. */
async function asking() {
  const scratch = await Scratch.make();
  const file = join(scratch.base, 'told');
  const writes = JSON.stringify(
    `cat >>'${file}'; echo "$CZAR_EVENT \${CZAR_WORKER-run}" >>'${file}.env'`,
  );
  scratch.scripted(
    'grep -q "this one" "$CZAR_PROMPT_FILE" || czar emit ask "which?"\n',
    [
      'notify:',
      `  - command: [/bin/sh, -c, ${writes}]`,
      '  - {command: [/bin/sh, -c, "exit 7"], events: run.complete}',
      '',
    ].join('\n'),
  );
  scratch.worker('asks');
  scratch.commitAll();
  const read = (name: string): readonly string[] =>
    existsSync(name) ? readFileSync(name, 'utf8').trimEnd().split('\n') : [];
  return {
    scratch,
    told: (): readonly any[] => read(file).map((line) => JSON.parse(line)),
    names: () => read(`${file}.env`),
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}

test('a hook is told what waits and that the run is complete, and one that fails is a line', async () => {
  await using given = await asking();
  const { scratch, told, names } = given;
  assert.equal((await scratch.czar('run')).code, 5);
  assert.deepEqual(names(), ['worker.blocked asks', 'run.waiting run']);
  const [blocked, waiting] = told();
  assert.equal(blocked.data.block.text, 'which?');
  // As they stand in the log.
  const log = scratch.log();
  assert.deepEqual([blocked, waiting], [log[blocked.seq - 1], log[waiting.seq - 1]]);
  assert.equal((await scratch.czar('answer', 'asks', 'this one')).code, 0);
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.deepEqual(names().slice(2), ['run.complete run']);
  assert.match(
    // What comes after the end of the run is a daemon's own affair.
    usually === 'daemon' ? readFileSync(join(scratch.base, 'home/daemon.log'), 'utf8') : stderr,
    /^notify: the command \/bin\/sh was not told of run\.complete \(\d+-1\/\d+\): it ended with exit code 7$/m,
  );
});

bothWays('whoever follows a run sees that somebody was not told', async (through) => {
  await using scratch = await Scratch.make({ through });
  scratch.config('notify:\n  - {command: [/bin/sh, -c, "exit 7"], events: worker.active}\n');
  scratch.worker('a');
  scratch.commitAll();
  const run = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  await run.seen('notify: the command /bin/sh was not told of worker.active');
  a.exit(0);
  assert.equal((await run.finished).code, 0);
});

test('fault 43: the daemon tells too, and a guardian that gives up has the last word', async () => {
  await using given = await asking();
  const { scratch, told, names } = given;
  await using daemon = new Background(scratch);
  await daemon.start('--exit-when-waiting');
  await daemon.ended();
  assert.deepEqual(names(), ['worker.blocked asks', 'run.waiting run']);
  writeFileSync(join(scratch.repo, '.git/czar/guardian-gave-up'), '6 137\n');
  const last = await scratch.czar('daemon', 'start', '--guarded', '--gave-up');
  assert.deepEqual([last.code, last.stderr], [0, '']);
  assert.deepEqual(names().slice(2), ['daemon.gave_up run']);
  assert.deepEqual(told().at(-1).data, { deaths: 6, code: 137 });
  // A full disk took the file and nothing that it should say.
  writeFileSync(join(scratch.repo, '.git/czar/guardian-gave-up'), '');
  await scratch.czar('daemon', 'start', '--guarded', '--gave-up', '6 1');
  assert.deepEqual(names().slice(3), ['daemon.gave_up run']);
  assert.deepEqual(told().at(-1).data, { deaths: 6, code: 1 });
  assert.equal((await scratch.czar('answer', 'asks', 'this one')).code, 0);
  await daemon.start();
  await daemon.ended();
  assert.deepEqual(names().slice(4), ['run.complete run']);
  assert.match(daemon.log(), /^notify: the command \/bin\/sh was not told of run\.complete/m);
});
