import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertOrder, only, statesOf } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

test('each kind of dependency gives what it says: the tree, the handoff, or the order', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('first');
  scratch.worker('research', 'workspace: empty');
  scratch.worker(
    'by-output',
    'dependencies: [{on: first, inputs: [first.txt], reason: the schema}]',
  );
  scratch.worker('by-knowledge', 'dependencies: [{on: research, kind: knowledge}]');
  scratch.worker('by-order', 'dependencies: [{on: research, kind: sequential}]');
  scratch.worker('lacks-input', 'dependencies: [{on: first, inputs: [missing.txt]}]');
  scratch.commitAll();
  const run = scratch.start('run');
  const first = await scratch.stubs.agent('first');
  const research = await scratch.stubs.agent('research');
  await first.write('first.txt', '1\n');
  await first.run('czar', 'emit', 'handoff', 'first says hello');
  first.exit();
  await research.run('czar', 'emit', 'handoff', 'the answer is forty-two');
  research.exit();

  const output = await scratch.stubs.agent('by-output');
  assert.ok(existsSync(join(output.cwd, 'first.txt')));
  assert.match(await readFile(output.promptFile, 'utf8'), /the schema/);
  const knowledge = await scratch.stubs.agent('by-knowledge');
  assert.match(await readFile(knowledge.promptFile, 'utf8'), /the answer is forty-two/);
  const order = await scratch.stubs.agent('by-order');
  for (const agent of [output, knowledge, order]) agent.exit();
  assert.equal((await run.finished).code, 5);
  const log = scratch.log();
  assert.deepEqual(statesOf(log, 'lacks-input'), ['pending', 'ready', 'blocked']);
  assert.deepEqual(only(log, 'worker.blocked', 'lacks-input').data.block.files, ['missing.txt']);
  assertOrder(log, 'worker.merged first', 'worker.started by-output');
  assertOrder(log, 'worker.complete research', 'worker.started by-order');
});

test('requires: verified lets a dependent start before its dependency is merged', async () => {
  await using scratch = await Scratch.make();
  const gate = join(scratch.base, 'gate');
  scratch.config(`checks: ["test -e ${gate}/open || exit 1"]\n`);
  scratch.worker('first');
  scratch.worker('early', 'dependencies: [{on: first, kind: sequential, requires: verified}]');
  scratch.commitAll();
  const run = scratch.start('run');
  const first = await scratch.stubs.agent('first');
  await first.write('first.txt', '1\n');
  first.exit();
  const early = await scratch.stubs.agent('early');
  await scratch.happened('worker.blocked', 'first');
  assert.equal((await scratch.json('status', 'first')).worker.state, 'blocked');
  early.exit();
  assert.equal((await run.finished).code, 5);
  assertOrder(scratch.log(), 'worker.merging first', 'worker.started early');
});

test('a worker whose condition is false is skipped, and with it those that do not allow that', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('[ "$CZAR_WORKER" = audit ] || echo x > "$CZAR_WORKER.txt"\n');
  scratch.worker('audit');
  scratch.worker('fix', 'dependencies: [audit]\nwhen: workers.audit.no_change == false');
  scratch.worker(
    'report',
    'dependencies: [audit]\nwhen: workers.audit.state == "complete" && workers.audit.attempts == 1',
  );
  scratch.worker('strict', 'dependencies: [fix]');
  scratch.worker('lenient', 'dependencies: [{on: fix, allow_skipped: true}]');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  const log = scratch.log();
  for (const id of ['fix', 'strict'])
    assert.deepEqual(statesOf(log, id), ['pending', 'skipped'], id);
  for (const id of ['report', 'lenient']) only(log, 'worker.merged', id);
});
