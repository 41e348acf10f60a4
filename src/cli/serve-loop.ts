/** The socket of a loop that this process leads, for `run` and the daemon; and what is said when another one leads. */
import { serve, type Handlers } from '../api/serve.ts';
import type { OpenLoop } from '../daemon/open-loop.ts';
import { exits } from './exit.ts';
import { heldBy } from './held-by.ts';
import type { CliContext } from './verb.ts';

/** Listens until disposed; null when it must not, which has been said. */
export async function serveLoop(
  context: CliContext,
  { socket }: OpenLoop,
  handlers: Handlers,
): Promise<AsyncDisposable | null> {
  const served = await serve(socket, handlers);
  if (!('refused' in served)) return served;
  context.fail({
    exit: exits.refused,
    what: served.refused,
    next: 'move it away, or set XDG_RUNTIME_DIR to a folder of yours',
  });
  return null;
}

/** Says that another process leads the repository's loop. */
export function ledByAnother(context: CliContext, owner: Parameters<typeof heldBy>[0]): void {
  if (owner?.verb !== undefined) return context.fail(heldBy(owner));
  context.fail({
    exit: exits.refused,
    what: 'a czar is running in this repository already',
    where: owner === null ? null : `pid ${owner.pid}`,
    next: 'czar status shows what it does',
  });
}
