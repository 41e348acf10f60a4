import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoProcess } from './co-process.ts';
import type { ReadAnswer } from './co-process.ts';

const line: ReadAnswer<string> = (bytes) => {
  const end = bytes.indexOf('\n');
  if (end < 0) return { needs: bytes.length + 1 };
  return { value: bytes.toString('utf8', 0, end), length: end + 1 };
};

function start(script: string, timeoutMs = 20_000): CoProcess {
  const env = { PATH: process.env['PATH'] };
  return new CoProcess({ argv: ['/bin/sh', '-c', script], cwd: '/', env, timeoutMs });
}

test('requests are answered in their order, however the bytes arrive', async () => {
  await using echo = start('while read -r word; do printf "%s" "$word"; printf "!\\n"; done');
  const answers = await Promise.all(
    ['one', 'two', 'three'].map((word) => echo.ask(`${word}\n`, line)),
  );
  assert.deepEqual(answers, ['one!', 'two!', 'three!']);
  assert.equal(await echo.ask('four\n', line), 'four!');
});

test('a long answer is asked for only when it is there', async () => {
  await using long = start('read -r _; head -c 300000 /dev/zero | tr "\\0" x; echo');
  let looked = 0;
  const answer = await long.ask('go\n', (bytes) => {
    looked += 1;
    return bytes.length < 300_001 ? { needs: 300_001 } : { value: bytes.length, length: 300_001 };
  });
  assert.equal(answer, 300_001);
  assert.ok(looked <= 2, `${looked} times`);
});

for (const [what, script] of [
  ['one that ends', 'exit 3'],
  ['one that does not answer in time', 'sleep 600'],
  ['one that says more than it was asked', 'printf "a\\nb\\n"; sleep 600'],
] as const) {
  test(`${what} answers null from then on, and is gone`, async () => {
    const broken = start(`read -r _; echo $$; read -r _; ${script}`, 1_000);
    const pid = Number(await broken.ask('who\n', line));
    await broken.ask('go\n', line);
    assert.equal(await broken.ask('on\n', line), null);
    assert.equal(broken.ended, true);
    await broken[Symbol.asyncDispose]();
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
  });
}

test('an answer that makes no sense ends it', async () => {
  await using odd = start('while read -r word; do echo "$word"; done');
  const refuse: ReadAnswer<string> = () => {
    throw new Error('no answer');
  };
  assert.equal(await odd.ask('x\n', refuse), null);
  assert.equal(odd.ended, true);
});

test('a program that is not there answers null', async () => {
  const env = {};
  await using none = new CoProcess({ argv: ['/no/such/program'], cwd: '/', env, timeoutMs: 1_000 });
  assert.equal(await none.ask('x\n', line), null);
});
