/** `czar kept list|show|restore|drop`: work that no branch holds, how to get it back, and how to be rid of it. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  contextOf,
  leftOutByRef,
  leftOutText,
  listKept,
  restoreKept,
  showKept,
  type KeptEntry,
  type LeftOut,
} from '../../daemon/views/kept.ts';
import type { Place } from '../../daemon/place.ts';
import { droppedRef } from '../../core/decide/kept.ts';
import type { RunState } from '../../core/state.ts';
import { publishTrouble } from '../../core/publish.ts';
import { askAndWait } from '../ask-and-wait.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import { insideAttempt, refuse } from '../steering.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .command('list')
      .description('what is kept, oldest first')
      .argument('[worker]', 'only of this worker')
      .action(async (worker: string | undefined) => list(context, worker));
    command
      .command('show')
      .description('files and diff of one')
      .argument('<ref>', 'as kept list shows it, or WORKER for its newest')
      .action(async (ref: string) => show(context, ref));
    command
      .command('restore')
      .description(
        'write the files of one into a folder; only files as they were before that work are replaced',
      )
      .argument('<ref>', 'as kept list shows it, or WORKER for its newest')
      .option('--into <dir>', 'folder to write to', 'restored')
      .action(async (ref: string, options: { into: string }) =>
        restore(context, ref, options.into),
      );
    command
      .command('drop')
      .description(
        'put one out of the way, until czar prune removes it; refused for what is merged nowhere',
      )
      .argument('<ref>', 'as kept list shows it, or WORKER for its newest')
      .option('--force', 'also what is merged nowhere')
      .action(async (ref: string, options: { force?: boolean }) =>
        drop(context, ref, options.force === true),
      );
  },
};

async function list(context: CliContext, worker: string | undefined): Promise<void> {
  const place = findPlace(context);
  if (place === null) return;
  const entries = await entriesOf(context, place, worker);
  if (entries === null) return;
  const left = await leftOutByRef(place);
  if (context.options.json)
    return context.out.json({ v: 1, kept: entries.map((entry) => document(entry, left)) });
  if (entries.length === 0) return context.out.line('Nothing is kept.');
  context.out.table(
    entries.map((entry) => [
      short(entry),
      new Date(entry.at).toISOString().slice(0, 16).replace('T', ' '),
      entry.why,
    ]),
  );
  for (const entry of entries) {
    for (const file of left.get(entry.ref) ?? [])
      context.out.line(`${short(entry)} left out: ${leftOutText(file)}`);
  }
}

async function show(context: CliContext, ref: string): Promise<void> {
  const place = findPlace(context);
  if (place === null) return;
  const entry = await find(context, place, ref);
  if (entry === null) return;
  const left = await leftOutByRef(place);
  const content = await showKept(contextOf(place), entry.ref);
  if (content.kind === 'failed') return context.fail({ exit: exits.failed, what: content.error });
  if (content.kind === 'none')
    return context.fail({ exit: exits.nothing, what: `nothing is kept as ${ref}` });
  if (context.options.json)
    return context.out.json({
      v: 1,
      ...document(entry, left),
      files: content.files,
      diff: content.text,
    });
  context.out.line(`${entry.ref}: ${entry.why}`);
  for (const file of left.get(entry.ref) ?? []) context.out.line(`left out: ${leftOutText(file)}`);
  context.out.block(content.stat);
  context.out.block(content.text);
}

async function restore(context: CliContext, ref: string, into: string): Promise<void> {
  const place = findPlace(context);
  if (place === null) return;
  const entry = await find(context, place, ref);
  if (entry === null) return;
  const folder = resolve(context.cwd, into);
  const done = await restoreKept(contextOf(place), { ref: entry.ref, into: folder });
  switch (done.kind) {
    case 'failed':
      return context.fail({ exit: exits.failed, what: done.error });
    case 'none':
      return context.fail({ exit: exits.nothing, what: `nothing is kept as ${ref}` });
    case 'in the way':
      return context.fail({
        exit: exits.refused,
        what: 'files with other content are in the way, nothing was written',
        where: done.files.join(', '),
        next: 'choose another folder with --into',
      });
    case 'restored':
      if (context.options.json)
        return context.out.json({
          v: 1,
          ref: entry.ref,
          into: folder,
          written: done.written,
          deleted: done.deleted,
        });
      for (const path of done.written) context.out.line(path);
      if (done.deleted.length > 0)
        context.out.note(`deleted in the kept work, and left alone: ${done.deleted.join(', ')}`);
      context.out.note(`written to ${folder}`);
  }
}

async function drop(context: CliContext, ref: string, force: boolean): Promise<void> {
  if (await insideAttempt(context, 'kept drop')) return;
  const place = findPlace(context);
  if (place === null) return;
  const entry = await find(context, place, ref);
  if (entry === null) return;
  const { run, worker, commit } = entry;
  const to = droppedRef(entry.ref);
  /** Undefined while it is on its way. */
  const troubleOf = (now: RunState | undefined): string | null | undefined => {
    if (now === undefined || now.published[to] === commit) return null;
    return publishTrouble(now) ?? undefined;
  };
  const done = await askAndWait(context, place, {
    asked: () => [{ kind: 'drop-kept', run, worker, ref: entry.ref, force }],
    only: (intent) => intent.run === run && intent.kind === 'publish',
    settled: (state) => troubleOf(state.runs.get(run)) !== undefined,
  });
  if (done === null) return;
  const [rejection = null] = done.asked.map((one) => one.rejection);
  if (rejection !== null) return refuse(context, rejection);
  const trouble = troubleOf(done.state.runs.get(run));
  if (trouble != null) {
    return context.fail({
      exit: exits.failed,
      what: `it was dropped, and its ref could not be moved yet: ${trouble}`,
      next: 'czar kept drop again, or czar run, moves it',
    });
  }
  if (context.options.json) return context.out.json({ v: 1, ref: entry.ref, dropped: to, commit });
  context.out.line(`${short(entry)} is dropped.`);
  context.out.note(`until czar prune it stands as ${to}`);
}

async function entriesOf(
  context: CliContext,
  place: Place,
  worker?: string,
): Promise<readonly KeptEntry[] | null> {
  const git = contextOf(place);
  if (!existsSync(git.mirror)) return [];
  const { run } = context.options;
  const found = await listKept(git, {
    ...(run === null ? {} : { run }),
    ...(worker === undefined ? {} : { worker }),
  });
  if (found.kind === 'kept') return found.entries;
  context.fail({ exit: exits.failed, what: found.error });
  return null;
}

/** The entry that is meant: a whole ref, `run/worker/n`, or the newest of a worker. */
async function find(context: CliContext, place: Place, ref: string): Promise<KeptEntry | null> {
  const entries = await entriesOf(context, place);
  if (entries === null) return null;
  const exact = entries.find((entry) => entry.ref === ref || short(entry) === ref);
  const found = exact ?? entries.findLast((entry) => entry.worker === ref);
  if (found === undefined)
    context.fail({
      exit: exits.nothing,
      what: `nothing is kept as ${ref}`,
      next: 'czar kept list shows what is',
    });
  return found ?? null;
}

function short(entry: KeptEntry): string {
  return `${entry.run}/${entry.worker}/${entry.n}`;
}

function document(
  entry: KeptEntry,
  left: ReadonlyMap<string, readonly LeftOut[]>,
): Omit<KeptEntry, 'at'> & { readonly at: string; readonly left_out: readonly LeftOut[] } {
  return {
    ...entry,
    at: new Date(entry.at).toISOString(),
    left_out: left.get(entry.ref) ?? [],
  };
}
