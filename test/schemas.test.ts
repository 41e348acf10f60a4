/** What verbs print with `--json` is what the shipped schemas say. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as z from 'zod';
import { Background } from './support/background.ts';
import { Scratch } from './support/scratch.ts';

/** Fails unless the document fits the schema of this name, as it is shipped. */
function fits(name: string, document: unknown): void {
  const file = join(import.meta.dirname, '..', 'schema', `${name}.schema.json`);
  const schema = z.fromJSONSchema(JSON.parse(readFileSync(file, 'utf8')));
  const read = schema.safeParse(document);
  assert.ok(
    read.success,
    `${name}: ${z.prettifyError(read.error ?? new z.ZodError([]))}\n${JSON.stringify(document, null, 1)}`,
  );
}

/** A plan with something of everything that documents tell of. */
function richPlan(scratch: Scratch): void {
  scratch.scripted(
    'mkdir -p out; echo said; echo "$CZAR_WORKER" >"out/$CZAR_WORKER"; czar emit usage --input-tokens 90 --output-tokens 10\n',
    'budget: {run: {tokens: 100000}, default: {tokens: 1000}}\nresources: {gpu: 2}\nchecks: ["true"]\n',
  );
  scratch.worker(
    'a',
    `role: First
labels: {k: v}
owns: [out/a]
deliverables: [out/a]
resources: {gpu: 1}
budget: {tokens: 500, on_exceeded: warn}
fallback: [nobody]
timeout: 5m
when: run.base != ''
`,
    'Do it.',
  );
  scratch.worker('b', 'dependencies: [{on: a, reason: later, inputs: [out/a]}]\nowns: [out/**]');
  scratch.commitAll();
}

test('before and after a run: plan, worker, events, budget, diff, land, prune and doctor', async () => {
  await using scratch = await Scratch.make();
  richPlan(scratch);
  fits('plan', await scratch.json('plan', 'show'));
  fits('plan-waves', await scratch.json('plan', 'waves'));
  fits('plan-graph', await scratch.json('plan', 'graph'));
  fits('worker-show', await scratch.json('worker', 'show', 'a'));
  fits('worker-show', await scratch.json('worker', 'show', 'b'));
  fits('validate', await scratch.json('validate'));
  fits('error', await scratch.json('why', 'a'));
  fits('config-show', await scratch.json('config', 'show'));
  fits(
    'config-explain',
    await scratch.json('config', 'explain', 'max_parallel', '--set', 'base=main'),
  );
  fits('config-validate', await scratch.json('config', 'validate', '--set', 'max_paralel=2'));
  fits('init', await scratch.json('init'));
  fits('completion', await scratch.json('completion', 'bash'));
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  const events = await scratch.events();
  assert.ok(events.length > 30);
  for (const event of events) fits('event', event);
  for (const event of scratch.log()) fits('event', event);
  for (const who of [[], ['a'], ['run'], ['day']])
    fits('budget', await scratch.json('budget', ...who));
  fits('status', await scratch.json('status'));
  fits('worker-status', await scratch.json('status', 'a'));
  fits('diff', await scratch.json('diff', 'b'));
  fits('logs', await scratch.json('logs', 'a'));
  fits('why', await scratch.json('why', 'a'));
  fits('path', await scratch.json('path', 'a'));
  fits('plan-diff', await scratch.json('plan', 'diff'));
  fits('done', await scratch.json('budget', 'a', '--add', '1'));
  const preview = await scratch.json('land', '--dry-run');
  fits('land', preview);
  assert.equal(preview.gates_open, 0, 'the check has judged this tree');
  scratch.allow({ refs: ['refs/heads/main', 'HEAD'], files: ['out/'] });
  fits('land', await scratch.json('land'));
  scratch.write('.czar/config.yaml', 'retention: {runs: 1, outputs: 1s}\n');
  fits('prune', await scratch.json('prune', '--dry-run'));
  fits('prune', await scratch.json('prune'));
  fits('doctor', await scratch.json('doctor'));
  fits('report-file', await scratch.json('closeout', '--out', 'out/closeout.html'));
  fits('worker-new', await scratch.json('worker', 'new', 'later'));
  fits('add', await scratch.json('add', 'Something more'));
  fits('uninstall', await scratch.json('uninstall', '--yes'));
});

test('of a daemon', async () => {
  await using scratch = await Scratch.make({ through: 'terminal' });
  richPlan(scratch);
  await using daemon = new Background(scratch);
  // It lives while its run waits for a person.
  await daemon.start('--approve');
  fits('daemon-status', await scratch.json('daemon', 'status'));
  fits('daemon-start', await scratch.json('daemon', 'start'));
  fits('daemon-restart', await scratch.json('daemon', 'restart'));
  for (const line of (await scratch.czar('daemon', 'logs', '--json')).stdout.trim().split('\n'))
    fits('daemon-logs', JSON.parse(line));
  fits('daemon-stop', await scratch.json('daemon', 'stop'));
});

test('a document that says something else does not fit', () => {
  assert.throws(() => fits('plan-waves', { v: 1, waves: [['a']], more: true }));
  assert.throws(() => fits('plan-waves', { v: 2, waves: [] }));
  assert.throws(() => fits('event', { v: 1, seq: 0, ts: 'now', type: 'x', data: {} }));
});

test('what an agent reports is answered with one document, also where it is refused', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    [
      `czar emit checkpoint half way --json >>said.txt`,
      `czar --json emit ask "which?" >>said.txt`,
      `czar emit usage --input-tokens x --json >>said.txt`,
      `czar emit task-start the --json flag >>said.txt`,
      '',
    ].join('\n'),
  );
  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  const reported = scratch.log().filter(({ type }) => /checkpoint|task_started/.test(type));
  assert.deepEqual(
    reported.map(({ data }) => data.name ?? data.task),
    ['half way', 'the --json flag'],
  );
  const tree = (await scratch.json('path', 'a')).path;
  const lines = readFileSync(join(tree, 'said.txt'), 'utf8').split('\n');
  const documents = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  assert.equal(documents.length, 3, lines.join('\n'));
  fits('done', documents[0]);
  fits('done', documents[1]);
  assert.match(documents[1].done, /End your turn now/);
  fits('error', documents[2]);
  assert.equal(documents[2].error.code, 2);
  const outside = await scratch.json('emit', 'checkpoint', 'x');
  fits('error', outside);
  assert.deepEqual([outside.error.code, outside.error.where], [4, null]);
});
