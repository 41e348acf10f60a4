/** What a running agent asks permission for, through the command line: asked, settled, expired, and all that across kills. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inboxSchema } from '../src/report/inbox-schema.ts';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';
import { inTerminal } from './support/through.ts';

/** Asks for a command as a bridge inside the attempt does, and writes down what it was told. */
const program = `
import { dirname } from 'node:path';
import { appendFileSync } from 'node:fs';
const { askPermission, permissionsIn } = await import(${JSON.stringify(import.meta.resolve('../src/agents/ask-permission.ts'))});
const attemptDir = dirname(process.env.CZAR_REPORT_FILE);
const [command] = process.argv.slice(2);
const request = { kind: 'command', title: 'a command', command };
const answer = await askPermission(request, { attemptDir, permissions: permissionsIn(attemptDir) });
appendFileSync(process.env.HOME + '/told', JSON.stringify({ command, ...answer }) + '\\n');
`;

async function asking(script: string, config = ''): Promise<Scratch> {
  const scratch = await Scratch.make();
  const file = join(scratch.base, 'ask.mjs');
  writeFileSync(file, program);
  scratch.scripted(`ask() { '${process.execPath}' '${file}' "$1"; }\n${script}`, config);
  scratch.worker('a');
  scratch.commitAll();
  return scratch;
}

function told(scratch: Scratch): readonly unknown[] {
  const lines = readFileSync(join(scratch.base, 'home/told'), 'utf8').trim().split('\n');
  return lines.map((line): unknown => JSON.parse(line));
}

test('an agent is told what the policy says, and what a person says of the rest', async () => {
  await using scratch = await asking('ask "git log"; ask "rm -r x"; ask "curl x"; echo x > x\n');
  const run = scratch.start('run');
  await scratch.happened('permission.requested', 'a');
  const { inbox } = inboxSchema.parse(await scratch.json('inbox'));
  const [entry] = inbox;
  assert.deepEqual(
    [entry?.worker, entry?.kind, entry?.text, entry?.if_unanswered, entry?.after, entry?.commands],
    [
      'a',
      'permission',
      'command: rm -r x',
      'deny',
      600_000,
      ['czar approve a/p1', 'czar deny a/p1'],
    ],
  );
  assert.match(
    (await scratch.czar('inbox')).stdout,
    /^a: permission, for \d+s; in (?:9m|10m).*: deny\n {4}command: rm -r x\n {4}czar approve a\/p1\n {4}czar deny a\/p1$/m,
  );
  const why = await scratch.json('why', 'a');
  assert.match(why.why, /waits for permission \(p1\): rm -r x/);
  assert.equal(why.next, 'czar approve a/p1');
  assert.equal((await scratch.czar('approve', 'a/p2')).code, 3);
  const approved = await scratch.czar('approve', 'a/p1');
  assert.equal(approved.code, 0, approved.stderr);
  assert.match(approved.stdout, /^a\/p1 is allowed\.\n/);
  await run.seen('a/p2 waits for permission: curl x');
  assert.equal((await scratch.czar('deny', 'a/p2', '-m', 'not from here')).code, 0);
  assert.equal((await run.finished).code, 0);
  assert.deepEqual(told(scratch), [
    { command: 'git log', decision: 'allow', text: null },
    { command: 'rm -r x', decision: 'allow', text: null },
    { command: 'curl x', decision: 'deny', text: 'not from here' },
  ]);
  assert.equal(all(scratch.log(), 'answer.delivered').length, 2);
  assert.equal((await scratch.czar('approve', 'a/p2')).code, 4, 'it was denied');
});

test('what nobody settles in time is denied by the policy, and its agent goes on', async () => {
  await using scratch = await asking(
    'ask "rm -r x"; echo x > x\n',
    'if_unanswered: deny\nafter: 1s\n',
  );
  assert.equal((await scratch.czar('run')).code, 0);
  const answered = only(scratch.log(), 'permission.answered', 'a');
  assert.equal(answered.data.by, 'policy');
  const [only_] = told(scratch) as readonly { decision: string; text: string }[];
  assert.equal(only_?.decision, 'deny');
  assert.match(only_?.text ?? '', /Find another way/);
});

test('czar emit ask --wait gives the answer where it was asked', async () => {
  await using scratch = await asking(
    'czar emit ask --wait 5m "which?" >"$HOME/answer"; echo "$?" >>"$HOME/answer"\n',
  );
  const run = scratch.start('run');
  await scratch.happened('worker.asked', 'a');
  const { inbox } = inboxSchema.parse(await scratch.json('inbox'));
  assert.deepEqual(
    inbox.map(({ kind, text, after, commands }) => [kind, text, after, commands]),
    [['question', 'which?', 300_000, ['czar answer a/q1 TEXT']]],
  );
  assert.equal((await scratch.czar('answer', 'a/q1', 'the', 'second')).code, 0);
  assert.equal((await run.finished).code, 0);
  assert.equal(readFileSync(join(scratch.base, 'home/answer'), 'utf8'), 'the second\n0\n');
});

describe(
  'an answer reaches the attempt that waits for it once',
  inTerminal('npm run crash kills daemons at crash points'),
  () => {
    test('also when the loop is killed before and after it is brought there', async () => {
      await using scratch = await asking('ask "rm -r x"; echo x > x\n');
      scratch.env['CZAR_CRASH_AT'] = 'answer:before-write';
      const first = scratch.start('run');
      await scratch.happened('permission.requested', 'a');
      delete scratch.env['CZAR_CRASH_AT'];
      // The loop may be gone before it can say that it was done: said again it changes nothing.
      await scratch.czar('approve', 'a/p1');
      assert.equal((await first.finished).signal, 'SIGKILL');
      const again = await scratch.czar('approve', 'a/p1');
      assert.equal(again.code, 0, again.stderr);
      scratch.env['CZAR_CRASH_AT'] = 'answer:after-write';
      assert.equal((await scratch.czar('run')).signal, 'SIGKILL');
      delete scratch.env['CZAR_CRASH_AT'];
      const last = await scratch.czar('run');
      assert.equal(last.code, 0, last.stderr);
      assert.deepEqual(told(scratch), [{ command: 'rm -r x', decision: 'allow', text: null }]);
      only(scratch.log(), 'permission.requested', 'a');
      only(scratch.log(), 'permission.answered', 'a');
      assert.equal(all(scratch.log(), 'worker.started').length, 1, 'nothing was started again');
    });

    test('also when it is settled while no loop lives', async () => {
      await using scratch = await asking('ask "rm -r x"; echo x > x\n');
      const first = scratch.start('run');
      await scratch.happened('permission.requested', 'a');
      first.child.kill('SIGKILL');
      await first.finished;
      const denied = await scratch.czar('deny', '--all', '-m', 'no');
      assert.equal(denied.code, 0, denied.stderr);
      assert.equal((await scratch.czar('run')).code, 0);
      assert.deepEqual(told(scratch), [{ command: 'rm -r x', decision: 'deny', text: 'no' }]);
    });
  },
);
