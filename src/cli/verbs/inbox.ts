/** `czar inbox`: everything that waits for a person, as it stands or, with `--watch`, as it changes. */
import { statSync } from 'node:fs';
import { diedHolder, gaveUpFile, guardianGaveUp, holderOf, isThere } from '../../daemon/holder.ts';
import type { Place } from '../../daemon/place.ts';
import { isHeld, type Reader } from '../../daemon/views/read.ts';
import { wrap } from '../../report/cells.ts';
import {
  inboxChangeLine,
  inboxChanges,
  inboxEntries,
  inboxText,
  type InboxOptions,
} from '../../report/inbox.ts';
import type { InboxEntry } from '../../report/inbox-schema.ts';
import { gaveUpText } from '../../report/unattended.ts';
import { chosenRun, clockOffset, reading, streamEnd } from '../reading.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .option('-w, --watch', 'one line for each change, until Ctrl-C')
      .action(async (options: { watch?: boolean }) => {
        await reading(context, async (reader, place) => {
          if (options.watch === true) await watch(context, { reader, place });
          else show(context, { reader, place });
        });
      });
  },
};

interface At {
  readonly reader: Reader;
  readonly place: Place;
}

function show(context: CliContext, at: At): void {
  const { out } = context;
  const entries = entriesOf(context, at);
  if (entries === null) return;
  if (context.options.json) return out.json({ v: 1, inbox: entries });
  const width = out.width() ?? Infinity;
  for (const line of inboxText(entries)) for (const part of wrap(line, width)) out.line(part);
}

async function watch(context: CliContext, at: At): Promise<void> {
  const { out, options } = context;
  using end = streamEnd(context);
  let before: readonly InboxEntry[] = [];
  for await (const _ of at.reader.changes(end.signal)) {
    const after = entriesOf(context, at);
    if (after === null) return;
    const now = context.now();
    for (const change of inboxChanges(before, after, now)) {
      if (options.json) out.json(change);
      else out.line(inboxChangeLine(change, clockOffset(now)));
    }
    before = after;
  }
}

/** The entries now; null when the run that is named is not there, which has been said. */
function entriesOf(context: CliContext, { reader, place }: At): readonly InboxEntry[] | null {
  const { run } = context.options;
  const state = reader.loadCurrent(run);
  if (run !== null && chosenRun(context, state) === null) return null;
  const now = context.now();
  return inboxEntries({
    state,
    run,
    now,
    liveness: reader.liveness(now),
    unled: missingDaemon({ reader, place }),
    unattended: !isHeld(place),
  });
}

/** The daemon that died, or that its guardian gave up, while nobody else leads the runs; else null. */
function missingDaemon({ reader, place }: At): NonNullable<InboxOptions['unled']> | null {
  if (holderOf(place) !== null) return null;
  const gaveUp = guardianGaveUp(place);
  const at = statSync(gaveUpFile(place), { throwIfNoEntry: false })?.mtimeMs;
  if (gaveUp !== null && at !== undefined) return { why: gaveUpText(gaveUp), at: Math.floor(at) };
  const died = diedHolder(place);
  if (died?.daemon === undefined) return null;
  const { guardian } = died.daemon;
  // It starts it again.
  if (guardian !== null && isThere(guardian)) return null;
  const [last] = reader.events({ after: reader.lastSeq() - 1, limit: 1 });
  const why = `the daemon (pid ${died.pid}) has died, and nobody starts it again`;
  return { why, at: last?.at ?? 0 };
}
