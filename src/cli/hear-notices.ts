/** What a daemon says beside its events, shown to whoever is attached to it as a foreground run shows its own. */
import { hear } from '../api/hear.ts';
import { daemonOf, listenerOf } from '../daemon/holder.ts';
import type { LoopNotice } from '../daemon/notices.ts';
import type { Place } from '../daemon/place.ts';
import type { RunDisplay } from './run-display.ts';
import type { CliContext } from './verb.ts';

/** How long is waited before a daemon that is not heard is listened to again, milliseconds: a guardian starts it anew. */
const againMs = 1_000;
/** How long it may take to say that it is heard, milliseconds. */
const openMs = 3_000;

/** Shows it until disposed; resolves when nothing that is said from now on is missed, or nobody can be heard yet. */
export async function hearNotices(
  context: CliContext,
  place: Place,
  display: RunDisplay,
): Promise<Disposable> {
  const over = new AbortController();
  const { signal } = over;
  const open = Promise.withResolvers<void>();
  const show = showing(context, display);
  const listen = async (): Promise<void> => {
    while (!signal.aborted) {
      const listener = listenerOf(daemonOf(place));
      if (listener !== null) await hear(listener, { signal, opened: open.resolve, heard: show });
      open.resolve();
      await pause(againMs, signal);
    }
  };
  void listen();
  await Promise.race([open.promise, pause(openMs, signal)]);
  return { [Symbol.dispose]: () => over.abort() };
}

function showing(context: CliContext, display: RunDisplay): (notice: LoopNotice) => void {
  return (notice) => {
    switch (notice.kind) {
      case 'note':
        return context.out.note(notice.text);
      case 'log':
        return display.log(notice.text);
      case 'stalled':
        return display.stalled(notice);
      case 'writable':
        return display.stalled(null);
    }
  };
}

/** Does not keep the process alive. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    setTimeout(resolve, ms).unref();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
