/** What a loop that lives answers over its socket. */
import { contractVersion, type Begun, type Ended, type PruneReply } from '../api/contract.ts';
import type { Handlers } from '../api/serve.ts';
import type { Rejection } from '../core/commands.ts';
import { agentsDoNotSteer, attemptAround, type Asker } from '../daemon/asked-by-attempt.ts';
import { beginInLoop } from '../daemon/begin-in-loop.ts';
import type { Refusal } from '../daemon/choose-run.ts';
import { handleSteering } from '../daemon/handle-steering.ts';
import type { OpenLoop } from '../daemon/open-loop.ts';
import type { Place } from '../daemon/place.ts';
import { renderDiagnostic } from '../plan/diagnostics.ts';
import { oneLine } from '../report/cells.ts';
import type { Pruning } from '../upkeep/pruning.ts';

/** What only a daemon does. */
export interface DaemonHandlers {
  /** Something is about to begin, or (false) that has been settled. */
  readonly beginning: (now: boolean) => void;
  /** It is at something that is no run's, or (false) that is done: it ends only then. */
  readonly working: (now: boolean) => void;
  readonly end: Handlers['end'];
}

const v = contractVersion;

/**
 * The handlers of a loop; a `czar run` in the foreground begins and ends nothing for others. `log` is given a line for
 * everything that was refused to an agent.
 */
export function handlersOf(
  loop: OpenLoop,
  at: {
    readonly place: Place;
    readonly daemon: DaemonHandlers | null;
    readonly pruning: Pruning;
    readonly log: (line: string) => void;
    readonly hear: Handlers['hear'];
  },
): Handlers {
  const { place, daemon, pruning, log, hear } = at;
  const around = (pid: number): Asker | null =>
    attemptAround(pid, { home: place.home, state: loop.loop.state });
  // One after the other: each is decided on what those before it began.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    hear,
    refuse: (pid, asked) => {
      const asker = around(pid);
      if (asker === null) return null;
      log(refusalLine(asked, { pid, asker }));
      return { ...agentsDoNotSteer, consequence: 'reject', exit: 4 };
    },
    refused: (pid, asked) => log(refusalLine(asked, { pid, asker: around(pid) })),
    steer: async (request) => ({
      v,
      ...(await handleSteering(loop, request, (run) => pruning.inTheWay(run))),
    }),
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
    prune: async ({ checkout, retention }) => {
      if (checkout !== place.checkout) return elsewhere(place);
      daemon?.working(true);
      // Not while something begins: that may go on with a run of which something would go.
      const pruned = turn.then(async () => replyOf(await pruning.prune(retention)));
      turn = pruned.catch(() => undefined).finally(() => daemon?.working(false));
      return pruned;
    },
    end: async (asked) => (daemon === null ? inForeground() : daemon.end(asked)),
  };
}

/** `refused cancel: a process of a, attempt 1, asked for it (pid 123)`. */
function refusalLine(
  asked: string,
  { pid, asker }: { readonly pid: number; readonly asker: Asker | null },
): string {
  const who = asker === null ? 'an attempt' : `${asker.worker}, attempt ${asker.attempt},`;
  return oneLine(`refused ${asked}: a process of ${who} asked for it (pid ${pid})`);
}

function refused(refusal: Refusal): Begun {
  const { exit, what, where, next, differences, diagnostics } = refusal;
  const problems = diagnostics.flatMap((one) => renderDiagnostic(one).map(({ text }) => text));
  const rejection: Rejection = { consequence: 'reject', exit, what, next };
  return { v, ok: false, rejection, where, differences: [...differences], problems };
}

function replyOf(pruned: Awaited<ReturnType<Pruning['prune']>>): PruneReply {
  switch (pruned.kind) {
    case 'failed':
      return { v, ok: false, error: pruned.error };
    case 'refused':
      return { v, ok: false, rejection: pruned.rejection };
    case 'done': {
      const { outputs, aside, refs, left } = pruned.plan;
      const { bytes, problems } = pruned;
      const gone = { outputs: [...outputs], aside: [...aside], refs: [...refs] };
      return { v, ok: true, ...gone, left: [...left], bytes, problems: [...problems] };
    }
  }
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
    `the czar that runs in this repository works in another checkout, ${place.root}`,
    'ask there, or end it: czar daemon stop',
  );
}
