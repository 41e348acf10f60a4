/** `czar daemon logs`: what the daemon, and its guardian, wrote. */
import { existsSync } from 'node:fs';
import { daemonLog, readDaemonLog } from '../../daemon/daemon-log.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import { streamEnd } from '../reading.ts';
import type { CliContext } from '../verb.ts';

export async function logs(
  context: CliContext,
  options: { readonly follow?: boolean; readonly lines: string },
): Promise<void> {
  const lines = Number(options.lines);
  if (!Number.isSafeInteger(lines) || lines < 0) {
    return context.fail({
      exit: exits.wrong,
      what: `--lines ${options.lines} is no number of lines`,
      next: 'czar daemon logs -n 100',
    });
  }
  const place = findPlace(context);
  if (place === null) return;
  if (!existsSync(daemonLog(place))) {
    return context.fail({
      exit: exits.nothing,
      what: 'no daemon has written anything here',
      next: 'czar daemon start starts one',
    });
  }
  using end = streamEnd(context);
  const follow = options.follow === true ? end.signal : null;
  for await (const text of readDaemonLog(place, { lines, follow })) {
    if (context.options.json) context.out.json({ v: 1, text });
    else context.out.line(text);
  }
}
