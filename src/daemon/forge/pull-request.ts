/**
 * A run becomes a pull request: its integration branch is pushed, and one is opened with the closing report, or the open
 * one is brought up to date. Done again after a kill at any point it finds what is there.
 */
import type { PullOrder } from '../../core/events.ts';
import type { RunState } from '../../core/state.ts';
import { reach } from '../../git/context.ts';
import { pushRefs, pushUrl } from '../../git/push.ts';
import { closeoutPage } from '../../report/closeout-page.ts';
import { pageMarkdown } from '../../report/page-markdown.ts';
import { closeout } from '../views/closeout.ts';
import { crashPoint } from '../crash-point.ts';
import { forgeOf } from '../forge.ts';
import type { Forge, Pull, PullText } from './contract.ts';
import { ForgeError } from './forge-call.ts';
import type { Place } from '../place.ts';
import { mirrorOf } from '../views/run-facts.ts';
import { withReader } from '../views/read.ts';

/** Characters of a body: what GitHub takes, with some room. */
const longest = 60_000;

export interface Work {
  readonly place: Place;
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The forge of the repository's remote, or one sentence why there is none. */
export async function forgeHere({
  place,
  env,
}: Work): Promise<Forge | { readonly missing: string }> {
  const url = await pushUrl(mirrorOf(place));
  if (url === null) return { missing: 'there is no remote named origin' };
  return forgeOf(url, { root: place.root, env });
}

/** Pushes and opens or updates; a sentence when that could not be. */
export async function openPull(
  work: Work,
  of: { readonly run: RunState; readonly order: PullOrder; readonly forge: Forge },
): Promise<(Pull & { readonly updated: boolean }) | { readonly failed: string }> {
  const { run, order, forge } = of;
  const git = { ...mirrorOf(work.place), point: crashPoint(work.env) };
  const ref = `refs/heads/${order.branch}`;
  await reach(git, 'pull:before-push');
  const pushed = await pushRefs(git, { [ref]: order.tip });
  if (pushed.kind === 'failed') return { failed: pushed.error };
  const why = pushed.left[ref];
  if (why !== undefined) return { failed: `${order.branch} was not taken by the remote: ${why}` };
  await reach(git, 'pull:after-push');
  const text = await textOf(work, run);
  if ('failed' in text) return text;
  try {
    const found = await forge.find(order);
    await reach(git, 'pull:before-open');
    const pull =
      found === null ? await forge.open(order, text) : await forge.update(found.number, text);
    await reach(git, 'pull:after-open');
    return { ...pull, updated: found !== null };
  } catch (error) {
    if (error instanceof ForgeError) return { failed: error.message };
    throw error;
  }
}

async function textOf(
  { place, now }: Work,
  run: RunState,
): Promise<PullText | { readonly failed: string }> {
  const read = await withReader(place, async (reader) => closeout(place, { reader, run, now }));
  if (!read.ok)
    return { failed: read.problem.kind === 'no-log' ? 'there is no log' : read.problem.what };
  const { name } = run.plan;
  const title = `Run ${run.id}${name === '' ? '' : ` of ${name}`}`;
  return { title: quiet(title), body: bodyOf(pageMarkdown(closeoutPage(read.value))) };
}

/** The report as the body of a pull request: it names nobody, closes nothing, and is not longer than may be. */
export function bodyOf(report: string): string {
  const text = quiet(report);
  if (text.length <= longest) return text;
  const cut = text.slice(0, text.lastIndexOf('\n', longest));
  return `${cut}\n\nThe report is longer: czar closeout prints the whole.\n`;
}

/** A sign without width after each `@` and `#` that would name somebody, or another request. */
function quiet(text: string): string {
  return text.replace(/@(?=[\w-])/g, '@\u200b').replace(/([#!])(?=\d)/g, '$1\u200b');
}
