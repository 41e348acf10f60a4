/** `czar land --pr`: what is merged becomes a pull request. */
import type { Place } from '../../daemon/place.ts';
import { bringUp, forgeFor } from './bring-up-pull.ts';
import { exits } from '../exit.ts';
import type { CliContext } from '../verb.ts';

interface Order {
  readonly run: string;
  readonly target: string;
  readonly partial: boolean;
  readonly watch: boolean;
}

/** Opens the pull request, or brings the open one up to date. Whether it stands; why not has been said. */
export async function landPull(context: CliContext, place: Place, order: Order): Promise<boolean> {
  const forge = await forgeFor(context, place);
  if (forge === null) return false;
  const opened = await bringUp(context, place, { ...order, forge });
  if (opened === null) return false;
  if ('failed' in opened) {
    context.fail({
      exit: exits.failed,
      what: opened.failed,
      next: 'czar land --pr again does the rest',
    });
    return false;
  }
  const { run, pull } = opened;
  const { updated, ...found } = pull;
  if (!context.options.json) context.out.line(`${pull.url} is ${updated ? 'up to date' : 'open'}.`);
  else if (!order.watch) {
    const { target } = order;
    const about = { v: 1, run: run.id, kind: 'pull', target, branch: run.integration };
    context.out.json({ ...about, ...found, updated });
  }
  return true;
}
