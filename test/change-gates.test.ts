/** Gates that judge what a worker changed: deliverables, ownership, references, protected paths. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scratch } from './support/scratch.ts';

interface Blocked {
  readonly kind: string;
  readonly files: readonly string[];
  readonly findings: readonly string[];
}

/** Runs to the end of what goes on by itself; the block of each worker that waits for a person. */
async function blocks(scratch: Scratch): Promise<Readonly<Record<string, Blocked>>> {
  const events = await scratch.events();
  const found: Record<string, Blocked> = {};
  for (const event of events)
    if (event.type === 'worker.blocked') found[event.worker] = event.data.block;
  return found;
}

test('a file, a glob and a folder are asked for; what is missing blocks by name and integration stays', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `case $CZAR_WORKER in
good) mkdir -p out/deep docs; echo x > out/deep/a.txt; echo x > docs/x.md; echo x > one.txt;;
bad) mkdir -p empty; echo x > one-but-another.txt;;
esac`,
  );
  scratch.worker('good', 'deliverables: [one.txt, "out/**/*.txt", docs/]\n');
  scratch.worker('bad', 'deliverables: [README.md, two.txt, "lib/**/*.ts", empty/]\n');
  scratch.commitAll();
  const done = await scratch.czar('run');
  assert.equal(done.code, 5, done.stderr);
  const { good, bad } = await blocks(scratch);
  assert.equal(good, undefined);
  assert.equal(bad?.kind, 'gate');
  for (const name of ['two.txt', 'lib/**/*.ts', 'empty/'])
    assert.ok(bad?.findings.join('\n').includes(name), bad?.findings.join('\n'));
  assert.doesNotMatch(bad?.findings.join('\n') ?? '', /README/);
  const why = await scratch.czar('why', 'bad');
  assert.match(why.stdout, /two\.txt/);
  const run = (await scratch.events()).find((event) => event.run).run;
  const merged = scratch.git('ls-tree', '-r', '--name-only', `czar/${run}-integration`);
  assert.match(merged, /out\/deep\/a\.txt/);
  assert.doesNotMatch(merged, /one-but-another/);
});

test('folders of routes, whose names have brackets, can be owned and asked for', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `case $CZAR_WORKER in
a) mkdir -p 'app/[id]' 'app/[[...slug]]'; echo 1 > 'app/[id]/page.tsx'; echo 1 > 'app/[[...slug]]/page.tsx';;
b) echo 2 >> 'app/[id]/page.tsx';;
esac`,
  );
  scratch.worker(
    'a',
    `owns: ['app/[id]/**', 'app/[[...slug]]/**']\ndeliverables: ['app/[id]/', 'app/[[...slug]]/*.tsx']\n`,
  );
  scratch.worker('b', `owns: ['app/[id]/*.tsx']\ndependencies: [a]\n`);
  scratch.commitAll();
  const { code, stdout, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stdout + stderr);
});

test('a change outside owns and one of references are refused before the merge with the files named', async () => {
  await using scratch = await Scratch.make();
  scratch.write('docs/guide.md', 'guide\n');
  scratch.write('src/old.ts', 'old\n');
  scratch.scripted(
    `case $CZAR_WORKER in
inside) mkdir -p src; echo x > src/new.ts;;
outside) mkdir -p lib; echo x > lib/mine.ts; git mv src/old.ts lib/old.ts; echo x > stray.txt;;
reads) echo y >> docs/guide.md; echo x > notes.txt;;
esac`,
    'ownership: warn\n',
  );
  scratch.worker('inside', 'owns: ["src/**"]\n');
  scratch.worker('outside', 'owns: ["lib/**"]\n');
  scratch.worker('reads', 'references: ["docs/**"]\n');
  scratch.commitAll();
  const done = await scratch.czar('run');
  assert.equal(done.code, 5, done.stderr);
  const { inside, outside, reads } = await blocks(scratch);
  assert.equal(inside, undefined);
  assert.deepEqual(outside?.files.toSorted(), ['src/old.ts', 'stray.txt']);
  assert.deepEqual(reads?.files, ['docs/guide.md']);
  const run = (await scratch.events()).find((event) => event.run).run;
  assert.equal(scratch.git('show', `czar/${run}-integration:docs/guide.md`), 'guide');
});

test('fault 79: a worker that weakens its own check, or changes settings, waits for a person path by path', async () => {
  await using scratch = await Scratch.make();
  scratch.write('check.sh', 'test -f feature.txt && grep -q good feature.txt\n');
  scratch.config();
  scratch.worker('a', 'verify: sh check.sh\n');
  scratch.commitAll();
  const first = scratch.start('run');
  const agent = await scratch.stubs.agent('a');
  await agent.write('feature.txt', 'bad\n');
  await agent.write('check.sh', 'true\n');
  await agent.write('.github/workflows/ci.yml', 'on: push\n');
  agent.exit();
  assert.equal((await first.finished).code, 5);
  const { a } = await blocks(scratch);
  assert.equal(a?.kind, 'protect');
  assert.deepEqual(a?.files.toSorted(), ['.github/workflows/ci.yml', 'check.sh']);

  const none = await scratch.czar('approve', 'a', '--path', 'README.md');
  assert.equal(none.code, 3, none.stderr);
  const one = await scratch.czar('approve', 'a', '--path', '.github/workflows/ci.yml');
  assert.equal(one.code, 0, one.stderr);
  // One of two is approved: it still waits for the other, and says so of no more than that.
  const waiting = await scratch.czar('run');
  assert.equal(waiting.code, 5);
  const { block } = (await scratch.json('status', 'a')).worker;
  assert.deepEqual(block.files, ['check.sh']);
  for (const verb of ['why', 'status']) {
    const { stdout } = await scratch.czar(verb, 'a');
    assert.match(stdout, /check\.sh/);
    assert.doesNotMatch(stdout.split('Latest activity')[0] ?? '', /ci\.yml/);
  }
  assert.doesNotMatch(waiting.stdout, /ci\.yml/);
  const two = await scratch.czar('approve', 'a', '--path', 'check.sh');
  assert.equal(two.code, 0, two.stderr);
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
});

test('fault 80: an approval holds for the change as it was: when it changes again, the person is asked again', async () => {
  await using scratch = await Scratch.make();
  scratch.write('check.sh', 'true\n');
  scratch.config();
  scratch.worker('a', 'verify: sh check.sh\n');
  scratch.commitAll();
  const running = scratch.start('run');
  const agent = await scratch.stubs.agent('a');
  await agent.write('check.sh', 'exit 1\n');
  agent.exit();
  assert.equal((await running.finished).code, 5);
  assert.equal((await scratch.czar('approve', 'a', '--path', 'check.sh')).code, 0);
  // The check, which is now the worker's, is red: a person mends it in the tree.
  assert.equal((await scratch.czar('run')).code, 5);
  assert.equal((await blocks(scratch))['a']?.kind, 'gate');
  const tree = (await scratch.czar('path', 'a')).stdout.trim();
  scratch.gitIn(tree, 'rm', '-q', 'check.sh');
  scratch.gitIn(tree, 'commit', '-q', '-m', 'gone');
  assert.equal((await scratch.czar('submit', 'a')).code, 0);
  assert.equal((await scratch.czar('run')).code, 5);
  const { a } = await blocks(scratch);
  assert.equal(a?.kind, 'protect');
  assert.deepEqual(a?.files, ['check.sh']);
});

test('own deliverables are not protected, and the home always is', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `case $CZAR_WORKER in
ci) mkdir -p .github/workflows; echo on > .github/workflows/ci.yml;;
sly) echo 'max_parallel: 9' >> .czar/config.yaml; echo x > x.txt;;
esac`,
    'protect: []\n',
  );
  scratch.worker('ci', 'deliverables: [.github/workflows/ci.yml]\n');
  scratch.worker('sly', 'owns: ["**"]\n');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  const { ci, sly } = await blocks(scratch);
  assert.equal(ci, undefined);
  assert.deepEqual(sly?.files, ['.czar/config.yaml']);
});

test('a worker that changed nothing is blocked when it was to deliver what is there already, else it is complete', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('true');
  scratch.worker('free');
  scratch.worker('owes', 'deliverables: [README.md]\n');
  scratch.worker('checked', 'deliverables: [README.md]\nverify: test -f README.md\n');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  const found = await blocks(scratch);
  assert.deepEqual(Object.keys(found), ['owes']);
  assert.equal(found['owes']?.kind, 'nothing_changed');
  const complete = (await scratch.events()).filter((event) => event.type === 'worker.complete');
  const said = complete.map((event): string => `${event.worker} ${event.data.noChange}`);
  assert.deepEqual(said.toSorted(), ['checked true', 'free true']);
});

test('a required handoff that is missing is asked of the agent again, since no mending of the tree gives one', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    'echo x >> "$CZAR_WORKER.txt"\n[ "$CZAR_ATTEMPT" = 1 ] || ! grep -q "hand off with czar" "$CZAR_PROMPT_FILE" || czar emit handoff "Mind the gap."\n',
  );
  scratch.worker('w', 'handoff: required');
  scratch.worker('other', 'deliverables: [gone.txt]\nhandoff: optional');
  scratch.commitAll();
  const run = await scratch.czar('run');
  assert.equal(run.code, 5, run.stderr);
  const { next } = await scratch.json('why', 'w');
  assert.equal(next, 'czar retry w -m "hand off with czar emit handoff"');
  assert.ok(run.stdout.includes(`next: ${next}`), run.stdout);
  assert.match((await scratch.json('why', 'other')).next, /^czar submit other/);
  const entry = (await scratch.json('inbox')).inbox.find((one: any) => one.worker === 'w');
  assert.deepEqual(entry.commands, [next]);
  const retried = await scratch.czar('retry', 'w', '-m', 'hand off with czar emit handoff');
  assert.equal(retried.code, 0, retried.stderr);
  assert.equal((await scratch.czar('run')).code, 5);
  await scratch.happened('worker.complete', 'w');
});
