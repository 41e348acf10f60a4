/** The log: who holds it, whether it is whole, and whether the files that are derived from it are what it says. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { derivedFolder, openDerivedFiles, renderings } from '../daemon/derived-files.ts';
import { gaveUpFile, guardianGaveUp } from '../daemon/holder.ts';
import { socketPath } from '../daemon/workplace.ts';
import { compareWithLog } from '../journal/compare-derived.ts';
import { JournalError } from '../journal/journal.ts';
import { readOwner } from '../journal/lock.ts';
import { openJournalForReading } from '../journal/sqlite.ts';
import { damageNote, isSuspect } from '../journal/suspicion.ts';
import { ok, problem, warn, type Finding, type Patient } from './finding.ts';

/** Who holds the lock, or what somebody left who held it. */
export function checkLock({ place, busy, env }: Patient): readonly Finding[] {
  const owner = readOwner(place.state);
  if (busy) {
    const who = owner === null ? 'a czar' : `czar ${owner.version}, pid ${owner.pid},`;
    const what =
      owner?.socket == null ? `${who} works on this repository` : `${who} runs in this repository`;
    return [ok('lock', what)];
  }
  const socket = socketPath({ ...env }, place.state, (text) =>
    createHash('sha256').update(text).digest('hex'),
  );
  const gaveUp = guardianGaveUp(place);
  if (gaveUp !== null)
    return [
      warn('lock', {
        what: `the daemon died ${count(gaveUp.deaths, 'time')} and was not started again (exit code ${gaveUp.code})`,
        where: gaveUpFile(place),
        next: 'czar daemon logs says why; czar daemon start tries again',
      }),
    ];
  const halves = namesIn(place.state).filter((name) => /^owner\.json\.\d+$/.test(name));
  const left = [
    ...(owner === null ? [] : [join(place.state, 'owner.json')]),
    ...halves.map((name) => join(place.state, name)),
    ...(existsSync(socket) ? [socket] : []),
  ];
  if (left.length === 0) return [ok('lock', 'no czar runs in this repository')];
  return [
    warn(
      'lock',
      {
        what: `a czar that was killed${owner === null ? '' : ` (pid ${owner.pid})`} left ${count(left.length, 'file')}; they hold nobody up`,
        where: left.join(', '),
        next: 'czar doctor --fix',
      },
      async () => {
        // Whoever mends has taken the lock, and the owner's file with it.
        for (const file of left)
          if (file !== join(place.state, 'owner.json')) rmSync(file, { force: true });
      },
    ),
  ];
}

/** A landing that ended between the move of its branch and that of the checkout. */
export function checkLanding({ place, busy }: Patient): readonly Finding[] {
  const note = join(place.state, 'landing');
  if (busy || !existsSync(note)) return [];
  return [
    warn('landing', {
      what: 'a landing was interrupted: git is locked in the checkout that it was bringing up to date, which may have a part of it',
      where: note,
      next: 'czar land carries it through, or takes it back; leave the index.lock of git to it',
    }),
  ];
}

/** The log and the files that are derived from it. */
export function checkLog(patient: Patient): readonly Finding[] {
  const file = join(patient.place.state, 'czar.db');
  const damage = patient.busy ? null : damageNote(file);
  try {
    using journal = openJournalForReading(file);
    if (journal === null) return [ok('log', 'there is none yet')];
    const chain = journal.verifyChain();
    if (!chain.ok)
      return [
        problem('log', {
          what: `the log is not what was written: ${chain.problem}`,
          where: file,
          next: 'restore it from a backup; all work stays under refs/czar, nothing more is written to this log',
        }),
      ];
    const notes = [
      ...(damage === null
        ? []
        : [
            warn('log', {
              what: damage,
              where: file,
              next: 'czar run goes on from the last whole event',
            }),
          ]),
      ...(isSuspect(file)
        ? [
            warn('log', {
              what: 'the disk failed while the log was written',
              where: file,
              next: 'check the disk; czar run looks through the whole log before it goes on',
            }),
          ]
        : []),
    ];
    const whole = ok('log', `${count(chain.seq, 'event')}, the hash chain is whole`);
    return [...(notes.length > 0 ? notes : [whole]), ...derivedFindings(patient, journal)];
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    return [problem('log', { what: error.message, where: file, next: error.next })];
  }
}

function derivedFindings(
  { place, busy }: Patient,
  journal: NonNullable<ReturnType<typeof openJournalForReading>>,
): readonly Finding[] {
  // Whoever writes the log brings them up to date right after it.
  if (busy) return [];
  const folder = derivedFolder(place.home.path);
  const { log, jsonl } = renderings(journal);
  const wrong = (
    [
      ['events.log', log],
      ['events.jsonl', jsonl],
    ] as const
  ).flatMap(([name, render]) => {
    const file = join(folder, name);
    const found = compareWithLog(file, { journal, render });
    return found === 'same' ? [] : [{ file, found }];
  });
  if (wrong.length === 0) return [ok('log files', 'as the log says', folder)];
  const words = {
    missing: 'is missing',
    short: 'lacks the last events',
    different: 'differs from the log',
  };
  return [
    warn(
      'log files',
      {
        what: wrong
          .map(({ file, found }) => `${file.slice(folder.length + 1)} ${words[found]}`)
          .join(', '),
        where: folder,
        next: 'czar doctor --fix makes them anew from the log',
      },
      async () => {
        for (const { file, found } of wrong) {
          // What is only short is gone on with, so that whoever follows it stays at it.
          if (found === 'short') continue;
          for (const each of [file, `${file}.position`]) rmSync(each, { force: true });
        }
        using reader = openJournalForReading(join(place.state, 'czar.db'));
        if (reader === null) return;
        const files = openDerivedFiles(place.home.path, reader);
        const failed = files.update();
        files.close();
        if (failed !== null) throw new Error(`${failed.file}: ${failed.error}`);
      },
    ),
  ];
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}
