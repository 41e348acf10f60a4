/** `czar inbox` through the command line, and defaults that happen when nobody answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inboxChangeSchema, inboxSchema } from '../src/report/inbox-schema.ts';
import { only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

test('the inbox names what waits and what settles it, and a watcher sees it come and go', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    'grep -q "this one" "$CZAR_PROMPT_FILE" || case $CZAR_WORKER in asks) czar emit ask "which?";; esac\n',
  );
  scratch.worker('asks');
  scratch.worker(
    'launch',
    'approve: true\nrole: Writer\nowns: [docs/**]\ndependencies: [{on: asks, kind: sequential}]',
  );
  scratch.worker('other', 'approve: true\nbudget: {tokens: 1000}');
  scratch.commitAll();
  assert.equal((await scratch.czar('inbox')).code, 3, 'there is no run yet');
  assert.equal((await scratch.czar('run')).code, 5);
  const { inbox } = inboxSchema.parse(await scratch.json('inbox'));
  assert.deepEqual(
    inbox
      .map(({ worker, kind, if_unanswered, after, commands }) => [
        worker,
        kind,
        if_unanswered,
        after,
        commands[0],
      ])
      .sort(([a], [b]) => String(a).localeCompare(String(b))),
    [
      ['asks', 'question', 'wait', null, 'czar answer asks TEXT'],
      ['other', 'approval', 'wait', null, 'czar approve other'],
    ],
  );
  const text = (await scratch.czar('inbox')).stdout;
  assert.match(
    text,
    /^asks: question, for \d+s\n {4}which\?\n(?: {4}\|.*\n)? {4}czar answer asks TEXT$/m,
  );
  assert.match(text, /^other: approval[^]*budget: 1,000 tokens, limit 1,500/m);

  const lines = scratch.start('inbox', '--watch', '--json');
  const watch = scratch.start('inbox', '--watch');
  await lines.seen('"other"');
  await watch.seen('asks waits: question: which?');
  assert.equal((await scratch.czar('answer', 'asks', 'this one')).code, 0);
  await watch.seen('asks settled: question');
  assert.equal((await scratch.czar('run')).code, 5);
  await lines.seen('"launch"');
  assert.equal((await scratch.czar('approve', '--all')).code, 0);
  await lines.seen('"change":"settled","at"');
  await watch.seen('launch settled: approval');
  for (const one of [watch, lines]) one.child.kill('SIGINT');
  assert.equal((await watch.finished).code, 130);
  const { code, stdout } = await lines.finished;
  assert.equal(code, 130);
  for (const line of stdout.trimEnd().split('\n')) inboxChangeSchema.parse(JSON.parse(line));
  assert.match((await scratch.czar('inbox')).stdout, /^Nothing waits for you\.\n$/);
});

test('what nobody answers in time is settled by the principal policy, and shown with its time before', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('case $CZAR_WORKER in asks) czar emit ask "which?";; esac\n');
  scratch.worker('asks', 'if_unanswered: skip\nafter: 1h');
  scratch.worker('launch', 'approve: true\nif_unanswered: fail\nafter: 10ms');
  scratch.worker('busy', 'dependencies: []');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  // Whichever ends first, the run has waited longer than 10 ms when the next one looks at it.
  assert.equal((await scratch.czar('run')).code, 5);
  const failed = only(scratch.log(), 'worker.failed', 'launch');
  assert.equal(failed.data.by, 'policy');
  assert.match(
    (await scratch.czar('why', 'launch')).stdout,
    /nobody answered in time \(if_unanswered: fail\)/,
  );
  const { inbox } = await scratch.json('inbox');
  assert.deepEqual(
    inbox.map((entry: any) => [entry.worker, entry.if_unanswered, entry.after]),
    [['asks', 'skip', 3_600_000]],
  );
});
