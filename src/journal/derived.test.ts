import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Event } from '../core/events.ts';
import { openDerived, type DerivedFiles } from './derived.ts';
import { MemoryJournal } from './memory.ts';
import { LogWriter, samplePlan } from './sample-log.test.ts';

test('each event is one line in both files as soon as it is appended', (t) => {
  const world = start(t);
  const derived = world.open();
  for (let round = 0; round < 3; round += 1) {
    const batch = [world.write(`${round}a`), world.write(`${round}b`)];
    world.journal.append(batch, world.log.state);
    assert.equal(derived.update(batch), null);
    world.assertComplete();
  }
});

test('files that end in the middle of a line are cut and go on', (t) => {
  for (const cut of [1, 2, 9, 20, 39]) {
    const world = start(t, 5);
    const text = readFileSync(world.files.log);
    truncateSync(world.files.log, text.length - cut);
    world.append('next');
    world.open().update();
    world.assertComplete();
  }
});

test('files are caught up after the loop died between the log and the files', (t) => {
  const world = start(t, 5);
  for (let n = 0; n < 3; n += 1) world.append(`missed ${n}`);
  world.open().update();
  world.assertComplete();
});

test('a position note that promises too much is not believed', (t) => {
  for (const note of ['999 3\n', '2 999999\n', 'nonsense', '1 10\n']) {
    const world = start(t, 5);
    writeFileSync(`${world.files.log}.position`, note);
    world.append('next');
    world.open().update();
    world.assertComplete();
  }
});

test('a file that was removed, emptied or written to by others is made anew while the loop runs', (t) => {
  const harm: readonly ((file: string) => void)[] = [
    (file) => rmSync(file),
    (file) => truncateSync(file),
    (file) => appendFileSync(file, 'not an event\n'),
    (file) => appendFileSync(file, 'no line break'),
  ];
  for (const act of harm) {
    const world = start(t);
    const derived = world.open();
    for (let n = 0; n < 4; n += 1) world.append(`${n}`);
    derived.update();
    act(world.files.log);
    const event = world.append('next');
    derived.update([event]);
    world.assertComplete();
  }
});

test('a folder that was removed is made anew', (t) => {
  const world = start(t);
  const derived = world.open();
  derived.update();
  rmSync(world.folder, { recursive: true });
  derived.update([world.append('next')]);
  world.assertComplete();
});

test('files of another log or another rendering are replaced', (t) => {
  const world = start(t, 3);
  writeFileSync(world.files.log, 'a\nb\nc\nd\ne\nf\ng\n');
  writeFileSync(world.files.jsonl, 'a\nb\n');
  rmSync(`${world.files.log}.position`, { force: true });
  rmSync(`${world.files.jsonl}.position`, { force: true });
  world.open().update();
  world.assertComplete();
});

test('what is no plain file of its own in place of a file or its note is replaced and never written to', (t) => {
  const harm: readonly ((file: string, precious: string) => void)[] = [
    (file, precious) => symlinkSync(precious, file),
    (file, precious) => linkSync(precious, file),
    (file) => symlinkSync('nowhere', file),
  ];
  for (const act of harm) {
    for (const ofNote of [false, true]) {
      const world = start(t, 2);
      const precious = join(world.folder, '../precious');
      writeFileSync(precious, 'precious\n');
      const file = `${world.files.log}${ofNote ? '.position' : ''}`;
      rmSync(file);
      act(file, precious);
      const derived = world.open();
      derived.update([world.append('next')]);
      rmSync(file);
      act(file, precious);
      derived.update([world.append('more')]);
      derived.close();
      world.assertComplete();
      assert.equal(readFileSync(precious, 'utf8'), 'precious\n');
      assert.equal(existsSync(join(world.folder, 'nowhere')), false);
    }
  }
});

test('a file that cannot be written is told, and written when that is mended', (t) => {
  const world = start(t);
  writeFileSync(world.folder, 'a file where the folder should be');
  const derived = world.open();
  assert.match(derived.update()?.error ?? '', /ENOTDIR|EEXIST/);
  rmSync(world.folder);
  assert.equal(derived.update(), null);
  world.assertComplete();
});

test('what a long log was written up to is noted, so that a start after a kill counts little', (t) => {
  const world = start(t);
  const derived = world.open();
  const batch = Array.from({ length: 1500 }, (_, n) => world.write(`${n}`));
  world.journal.append(batch, world.log.state);
  derived.update(batch);
  assert.match(readFileSync(`${world.files.log}.position`, 'utf8'), /^1502 \d+\n$/);
  world.append('more');
  world.open().update();
  world.assertComplete();
});

interface World {
  readonly folder: string;
  readonly files: { readonly log: string; readonly jsonl: string };
  readonly journal: MemoryJournal;
  readonly log: LogWriter;
  readonly open: () => DerivedFiles;
  readonly write: (name: string) => Event;
  readonly append: (name: string) => Event;
  readonly assertComplete: () => void;
}

/** A log of a run with so many checkpoints, derived and closed (none: not derived yet). */
function start(t: TestContext, checkpoints = 0): World {
  const parent = mkdtempSync(join(tmpdir(), 'czar-derived-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const folder = join(parent, 'logs');
  const files = { log: join(folder, 'events.log'), jsonl: join(folder, 'events.jsonl') };
  const journal = new MemoryJournal();
  const log = new LogWriter();
  const line = (event: Event): string =>
    `${event.seq} ${event.type} ${JSON.stringify(event.data).slice(0, 60)}`;
  const open = (): DerivedFiles => {
    const derived = openDerived({
      folder,
      makeFolder: (path) => mkdirSync(path, { recursive: true }),
      journal,
      log: (event) => [line(event)],
      jsonl: (event) => JSON.stringify(event).match(/.{1,9}/gs) ?? [],
    });
    t.after(() => derived.close());
    return derived;
  };
  const write = (name: string): Event =>
    log.add({ type: 'worker.checkpoint', run: 'r', worker: 'a', data: { name } });
  const append = (name: string): Event => {
    const event = write(name);
    journal.append([event], log.state);
    return event;
  };
  const assertComplete = (): void => {
    const events = [...journal.read()];
    assert.deepEqual(readFileSync(files.log, 'utf8'), `${events.map(line).join('\n')}\n`);
    const objects = readFileSync(files.jsonl, 'utf8')
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
    assert.deepEqual(objects, events);
  };
  journal.append([log.loopStarted(1), log.runStarted('r', samplePlan(['a']))], log.state);
  for (let n = 0; n < checkpoints; n += 1) append(`checkpoint ${n}`);
  if (checkpoints > 0) {
    const derived = open();
    derived.update();
    derived.close();
  }
  return { folder, files, journal, log, open, write, append, assertComplete };
}
