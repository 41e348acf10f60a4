/** What a loop that lives answers over its socket. */
import { contractVersion, type Begun, type Ended } from '../api/contract.ts';
import type { Handlers } from '../api/serve.ts';
import type { Rejection } from '../core/commands.ts';
import { beginInLoop } from '../daemon/begin-in-loop.ts';
import type { Refusal } from '../daemon/choose-run.ts';
import { handleSteering } from '../daemon/handle-steering.ts';
import type { OpenLoop } from '../daemon/open-loop.ts';
import type { Place } from '../daemon/place.ts';
import { renderDiagnostic } from '../plan/diagnostics.ts';

/** What only a daemon does. */
export interface DaemonHandlers {
  /** Something is about to begin, or (false) that has been settled. */
  readonly beginning: (now: boolean) => void;
  readonly end: Handlers['end'];
}

const v = contractVersion;

/** The handlers of a loop; a `czar run` in the foreground begins and ends nothing for others. */
export function handlersOf(
  loop: OpenLoop,
  { place, daemon }: { readonly place: Place; readonly daemon: DaemonHandlers | null },
): Handlers {
  // One after the other: each is decided on what those before it began.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    steer: (request) => handleSteering(loop, request),
    begin: async ({ checkout, wanted }) => {
      if (daemon === null) return inForeground();
      if (checkout !== place.checkout) return elsewhere(place);
      daemon.beginning(true);
      const begun = turn.then(async (): Promise<Begun> => {
        const began = await beginInLoop(loop, { place, wanted });
        if (!began.ok) return refused(began.refusal);
        const { run, requests, notes } = began;
        const started = requests.some(({ kind }) => kind === 'start-run');
        return { v, ok: true, run, started, notes: [...notes] };
      });
      turn = begun.catch(() => undefined).finally(() => daemon.beginning(false));
      return begun;
    },
    end: async (asked) => (daemon === null ? inForeground() : daemon.end(asked)),
  };
}

function refused(refusal: Refusal): Begun {
  const { exit, what, where, next, differences, diagnostics } = refusal;
  const problems = diagnostics.flatMap((one) => renderDiagnostic(one).map(({ text }) => text));
  const rejection: Rejection = { consequence: 'reject', exit, what, next };
  return { v, ok: false, rejection, where, differences: [...differences], problems };
}

function no(what: string, next: string): Extract<Ended, { ok: false }> {
  return { v, ok: false, rejection: { consequence: 'reject', exit: 4, what, next } };
}

function inForeground(): Extract<Ended, { ok: false }> {
  return no(
    'a czar run is going on in a terminal here',
    'czar status shows what it does; Ctrl-C there ends it',
  );
}

function elsewhere(place: Place): Extract<Ended, { ok: false }> {
  return no(
    `the daemon of this repository works in another checkout, ${place.root}`,
    'ask there, or end it: czar daemon stop',
  );
}
