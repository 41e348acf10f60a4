import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { endOf, planOf, runId, success } from '../../test/support/core-world.ts';
import { handleSteering } from '../daemon/handle-steering.ts';
import { Loop } from '../daemon/loop.ts';
import { gitContext } from '../git/context.ts';
import { line, output } from '../git/git.ts';
import { integrationRef } from '../git/refs.ts';
import { MemoryJournal } from '../journal/memory.ts';
import { Pruning } from './pruning.ts';

const retention = { runs: 20, outputsMs: 0, keptMs: null };
const again = { kind: 'retry', run: runId, worker: 'a', note: null, clean: false } as const;
const retry = { maxAttempts: 1, backoff: 'fixed', initialMs: 0, maxMs: 0, from: 'clean' } as const;

/** A loop whose only run has failed, with outputs of it; `at` is called, and waited for, at each crash point. */
async function ended(folder: string, at: (point: string) => void | Promise<void>) {
  const home = join(folder, '.czar');
  const outputs = join(home, 'runs', runId);
  mkdirSync(outputs, { recursive: true });
  writeFileSync(join(outputs, 'output'), 'text');
  await output(['init', '--quiet', folder], { cwd: folder });
  await makeMirror(join(folder, '.git/czar/mirror.git'));
  const journal = new MemoryJournal();
  const loop = new Loop({
    journal,
    perform: async (intent) =>
      intent.kind === 'watch' ? endOf(intent, { how: 'exited', code: 1 }) : success(intent),
    when: () => true,
    now: () => 1_000,
    committed: () => {},
  });
  await loop.send({ kind: 'loop-started', pid: 1, host: 'test', version: '0' });
  await loop.send({
    kind: 'start-run',
    by: 'user',
    run: runId,
    plan: planOf([{ id: 'a', retry }]),
    base: { ref: 'main', commit: 'base', dirty: 0 },
    integration: `czar/${runId}-integration`,
    target: 'main',
    scope: null,
  });
  await loop.until((state, idle) => idle && state.runs.get(runId)?.state === 'failed');
  const git = gitContext({ root: folder, commonDir: join(folder, '.git'), home, point: at });
  const place = {
    git,
    home: { path: home, name: '.czar', exists: true, czarina: false } as const,
    env: process.env,
    now: () => 1_000,
  };
  const pruning = new Pruning({ loop, place });
  const types = (): readonly string[] => [...journal.read({})].map(({ type }) => type);
  const steer = () =>
    handleSteering({ loop, journal, place }, again, (run) => pruning.inTheWay(run));
  return { outputs, pruning, steer, types };
}

/** A mirror that has the run. */
async function makeMirror(mirror: string): Promise<void> {
  mkdirSync(mirror, { recursive: true });
  await output(['init', '--bare', '--quiet', mirror], { cwd: mirror });
  const call = { cwd: mirror, gitDir: mirror };
  const tree = await line(['hash-object', '-w', '-t', 'tree', '--stdin'], { ...call, input: '' });
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];
  const commit = await line([...who, 'commit-tree', '-m', 'base', tree], call);
  // The run stands at a commit that is called so.
  await output(['update-ref', 'refs/heads/base', commit], call);
  await output(['update-ref', integrationRef(runId), commit], call);
}

test('a run of which something is being deleted takes no request until it has gone, and takes it then', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'czar-pruning-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [deleting, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { outputs, pruning, steer, types } = await ended(folder, async (point) => {
    if (point !== 'prune:before-folder') return;
    deleting.resolve();
    await goOn.promise;
  });
  const pruned = pruning.prune(retention);
  await deleting.promise;
  assert.equal(types().at(-1), 'prune.started');
  const refused = await steer();
  assert.ok(!refused.ok && refused.rejection.exit === 4);
  assert.ok(existsSync(outputs));
  goOn.resolve();
  assert.equal((await pruned).kind, 'done');
  assert.ok(!existsSync(outputs));
  assert.equal(types().at(-1), 'prune.done');
  assert.equal((await steer()).ok, true);
});

test('a run that is taken up between the look and the deletion loses nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'czar-pruning-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { outputs, pruning, steer, types } = await ended(folder, async (point) => {
    if (point === 'prune:before-event') assert.equal((await steer()).ok, true);
  });
  const reply = await pruning.prune(retention);
  assert.ok(reply.kind === 'refused' && reply.rejection.exit === 4);
  assert.ok(existsSync(outputs));
  assert.ok(!types().includes('prune.started'));
});

test('a loop that ends deletes nothing more, and another prune does the rest', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'czar-pruning-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const ends = Promise.withResolvers<void>();
  const { outputs, pruning, types } = await ended(folder, (point) => {
    if (point === 'prune:after-refs') ends.resolve(pruning[Symbol.asyncDispose]());
  });
  const reply = await pruning.prune(retention);
  await ends.promise;
  assert.equal(reply.kind, 'failed');
  assert.ok(existsSync(outputs));
  assert.equal(types().at(-1), 'prune.started');
});
