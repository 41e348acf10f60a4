/**
 * Logs that were damaged on the disk, at many places chosen by a seed: whatever is read of one is what was appended, or
 * it is refused in a sentence. Never another state, never a throw that is no sentence.
 */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import type { Event } from '../core/events.ts';
import { emptyState, evolve, type FoldState } from '../core/evolve.ts';
import { JournalError, type JournalReason } from './journal.ts';
import { randomLog } from './sample-log.test.ts';
import { openJournal, openJournalForReading } from './sqlite.ts';
import { damageNote } from './suspicion.ts';

const events = randomLog(Array.from({ length: 150 }, (_, index) => index * 7919 + index));
const page = 4096;
/** Damages of each kind; with CZAR_EVERY_INSTANT=1 about ten thousand in all. */
const seeds = process.env['CZAR_EVERY_INSTANT'] === '1' ? 700 : 8;

let folder = '';
/** The files of a log that was closed, and of one whose process was killed, by their endings. */
let images: Readonly<Record<'closed' | 'killed', Readonly<Record<string, Buffer>>>>;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'czar-damage-'));
  const path = join(folder, 'source.db');
  const state = emptyState();
  const journal = openJournal(path);
  for (let from = 0; from < events.length; from += 12) {
    const batch = events.slice(from, from + 12);
    for (const event of batch) evolve(state, event);
    journal.append(batch, state);
  }
  const killed = { '': readFileSync(path), '-wal': readFileSync(`${path}-wal`) };
  journal.close();
  images = { killed, closed: { '': readFileSync(path) } };
});
after(() => rmSync(folder, { recursive: true, force: true }));

type Harm = (bytes: Buffer, pick: (below: number) => number) => Buffer;

const harms: Readonly<Record<string, Harm>> = {
  'a bit is flipped': (bytes, pick) => {
    const at = pick(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8));
    return bytes;
  },
  'a sector is empty': (bytes, pick) => {
    const at = pick(bytes.length) & ~511;
    return bytes.fill(0, at, at + 512);
  },
  'the end is missing': (bytes, pick) => bytes.subarray(0, pick(bytes.length)),
  'a page stands where another belongs': (bytes, pick) => {
    const pages = Math.floor(bytes.length / page);
    bytes.copy(bytes, page * pick(pages), page * pick(pages));
    return bytes;
  },
  'some bytes are anything': (bytes, pick) => {
    const at = pick(bytes.length);
    for (let n = at; n < Math.min(at + 16, bytes.length); n += 1) bytes[n] = pick(256);
    return bytes;
  },
};

/** Reasons that a damaged file may be refused with: a version that was flipped looks newer. */
const refusals: readonly JournalReason[] = ['corrupt', 'newer', 'io'];

for (const [what, harm] of Object.entries(harms)) {
  test(`fault 6: ${what} in the file of a log: it is refused, or nothing of it is lost`, () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= seeds; seed += 1) {
      for (const image of ['closed', 'killed'] as const) {
        const path = lay(image, '', harm, seed);
        for (const writes of [false, true]) {
          const result = use(path, writes);
          const said = `seed ${seed}, ${image}, ${writes ? 'writing' : 'reading'}: ${JSON.stringify(result)}`;
          if (result.kind === 'refused') assert.ok(refusals.includes(result.reason), said);
          else assert.equal(result.seq, events.length, said);
          seen.add(result.kind);
        }
      }
    }
    assert.ok(seen.has('refused') || seen.has('state'), 'the harm shows');
  });

  test(`fault 5: ${what} in the write-ahead log: the state is one that was, and the loss is said`, () => {
    let prefixes = 0;
    for (let seed = 1; seed <= seeds; seed += 1) {
      const path = lay('killed', '-wal', harm, seed);
      const damaged = readFileSync(`${path}-wal`);
      const note = damageNote(path);
      const [reading, writing] = [use(path, false), use(path, true)];
      const said = `seed ${seed}: ${JSON.stringify([reading, writing, note])}`;
      assert.ok(reading.kind !== 'refused' && writing.kind !== 'refused', said);
      assert.equal(reading.seq, writing.seq, said);
      if (reading.seq === events.length) continue;
      prefixes += 1;
      // A cut within the first bytes of a frame leaves nothing that shows it.
      if (what === 'the end is missing') continue;
      assert.match(note ?? '', /the end of the log is damaged: \d+ bytes/, said);
      assert.match(writing.note ?? '', /\d+ bytes .* are kept as .*damaged/, said);
      const kept = readdirSync(folder).find((name) => name.includes('-wal.damaged'));
      assert.deepEqual(readFileSync(join(folder, kept ?? '')), damaged, said);
    }
    assert.ok(prefixes > 0, 'the harm shows');
  });
}

test('fault 17: a log that a crash of the machine has emptied is not taken for a new one', () => {
  const state = mkdtempSync(join(folder, 'emptied-'));
  const path = join(state, 'czar.db');
  writeFileSync(path, '');
  assert.equal(openJournalForReading(path), null, 'a loop was killed before it had made the log');
  mkdirSync(join(state, 'mirror.git'));
  for (const open of [openJournalForReading, openJournal])
    assert.throws(() => open(path), /the log is damaged: it is empty, and was not/);
  assert.equal(readFileSync(path).length, 0);
  // Who takes it away begins a new one.
  rmSync(path);
  openJournal(path).close();
});

test('fault 17: damaged rows of the state are thrown away and made anew from the log', () => {
  const text = (images.closed[''] ?? Buffer.alloc(0)).toString('latin1');
  const places = [...text.matchAll(/"mergedOrder"|"lostInRow"|"troubles"|"total":"/g)];
  assert.ok(places.length > 5);
  for (const { index } of places) {
    for (const bit of [0, 3, 6]) {
      const path = lay('closed', '', (bytes) => {
        bytes[index + 9] = (bytes[index + 9] ?? 0) ^ (1 << bit);
        return bytes;
      });
      for (const writes of [false, true]) {
        const result = use(path, writes);
        assert.equal(result.kind, 'whole', `${index} ${bit}`);
        assert.equal('seq' in result && result.seq, events.length);
      }
    }
  }
});

test('after the disk failed under a write the whole log is looked at before the next one', () => {
  const path = lay('closed', '');
  {
    using db = new DatabaseSync(path);
    db.exec('DROP TRIGGER event_is_never_changed; UPDATE event SET at = at + 1 WHERE seq = 7');
  }
  const damaged = readFileSync(path);
  // What a log says of the past is not read at every start.
  openJournal(path).close();
  writeFileSync(`${path}-suspect`, 'the disk failed\n');
  assert.throws(
    () => openJournal(path),
    (error: unknown) =>
      error instanceof JournalError &&
      error.reason === 'corrupt' &&
      error.message.includes('event 7 was changed'),
  );
  assert.deepEqual(readFileSync(path), damaged, 'nothing is written to it');
  writeFileSync(path, images.closed[''] ?? '');
  openJournal(path).close();
  assert.equal(existsSync(`${path}-suspect`), false);
});

type Use =
  | { readonly kind: 'refused'; readonly reason: JournalReason }
  /** State and every event are those that were appended up to `seq`. */
  | { readonly kind: 'whole'; readonly seq: number; readonly note: string | null }
  /** The state is right, and reading the events met the damage. */
  | { readonly kind: 'state'; readonly seq: number; readonly note: string | null };

/** Loads and reads a log, and adds to it where it is writing; asserts that whatever it gives is true. */
function use(path: string, writes: boolean): Use {
  let journal: ReturnType<typeof openJournalForReading> = null;
  try {
    journal = writes ? openJournal(path) : openJournalForReading(path);
    if (journal === null) return { kind: 'whole', seq: 0, note: null };
    const state = journal.load();
    const { seq } = state;
    assert.deepEqual(state, foldTo(seq));
    for (const named of [null, ...state.runs.keys()]) {
      const { runs } = journal.loadCurrent(named);
      assert.ok(runs.has(named ?? [...state.runs.keys()].at(-1) ?? ''));
      for (const [id, run] of runs) assert.deepEqual(run, state.runs.get(id));
    }
    const { note } = journal;
    try {
      assertBegins(journal.read(), seq);
    } catch (error) {
      if (!(error instanceof JournalError) || error.reason !== 'corrupt') throw error;
      return { kind: 'state', seq, note };
    }
    if (writes) {
      const data = { pid: 1, host: 'h', version: '0', epoch: state.epoch + 1 };
      const next: Event = { type: 'loop.started', seq: seq + 1, at: 1, data };
      evolve(state, next);
      journal.append([next], state);
      journal.close();
      journal = openJournalForReading(path);
      assert.deepEqual(journal?.load(), state);
      assertBegins(journal?.read({ upTo: seq }) ?? [], seq);
    }
    return { kind: 'whole', seq, note };
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    assert.match(error.message, /^the log [a-z ]+/);
    return { kind: 'refused', reason: error.reason };
  } finally {
    journal?.close();
  }
}

function assertBegins(read: Iterable<Event>, seq: number): void {
  let count = 0;
  for (const event of read) {
    assert.deepEqual(event, events[count]);
    count += 1;
  }
  assert.equal(count, seq);
}

/** Puts the files of an image in place, one of them harmed; gives the path of the log. */
function lay(
  image: keyof typeof images,
  harmed: string,
  harm: Harm = (bytes) => bytes,
  seed = 1,
): string {
  const path = join(folder, 'log.db');
  for (const name of readdirSync(folder)) if (name.startsWith('log.db')) rmSync(join(folder, name));
  for (const [ending, bytes] of Object.entries(images[image]))
    writeFileSync(
      `${path}${ending}`,
      ending === harmed ? harm(Buffer.from(bytes), random(seed)) : bytes,
    );
  return path;
}

const folds = new Map<number, FoldState>();

function foldTo(seq: number): FoldState {
  const known = folds.get(seq);
  if (known !== undefined) return known;
  const state = emptyState();
  for (const event of events.slice(0, seq)) evolve(state, event);
  folds.set(seq, state);
  return state;
}

/** Numbers from 0 below a bound, always the same for a seed (a linear congruential generator). */
function random(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
