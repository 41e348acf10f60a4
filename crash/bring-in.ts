/** What the user does while a run waits: commits on `main`, and brings that into the run with `czar sync`. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hit, wish, type Orders } from './orders.ts';
import { differences, fingerprint } from './fingerprint.ts';
import { readLog } from './log.ts';
import { git, startCzar, type Scratch } from './scratch.ts';

export interface BroughtIn {
  readonly problem: string | null;
  readonly killed: boolean;
}

/** Whether the user still has something to bring in. */
export function isOutdated({ plan, repo }: Scratch): boolean {
  if (plan.meanwhile === undefined) return false;
  const events = readLog(repo)?.events ?? [];
  return !events.some(({ type }) => type === 'run.synced');
}

/** One `czar sync`, killed at `place` where that is given, else now and then while kills are left. */
export async function bringIn(
  orders: Orders,
  left: { kills: number },
  place: string | null = null,
): Promise<BroughtIn> {
  const { scratch, random, tally, prints } = orders;
  if (!existsSync(join(scratch.side, 'committed'))) {
    const [changed] = differences(prints, fingerprint(scratch));
    if (changed !== undefined)
      return { problem: `S13: the checkout changed: ${changed}`, killed: false };
    commit(scratch);
    prints.clear();
    for (const [name, print] of fingerprint(scratch)) prints.set(name, print);
    writeFileSync(join(scratch.side, 'committed'), '');
  }
  const wished = left.kills > 0 ? wish(orders, 'sync') : null;
  const point = place ?? wished;
  const { child, ended } = startCzar(
    scratch,
    ['sync'],
    point === null ? {} : { CZAR_CRASH_AT: point },
  );
  tally.starts += 1;
  const isStruck = point === null && left.kills > 0 && random.chance(0.3);
  const soon = setTimeout(() => child.kill('SIGKILL'), isStruck ? random.next() * 800 : 60_000);
  const { killed, code } = await ended;
  clearTimeout(soon);
  if (killed || code === 137) {
    hit(tally, left, point?.split('#')[0] ?? 'while bringing in');
    return { problem: null, killed: true };
  }
  if (wished !== null) orders.wishes.push(wished);
  const problem = code === 0 ? null : `czar sync ended with exit code ${code}`;
  return { problem, killed: false };
}

function commit(scratch: Scratch): void {
  const { repo, plan } = scratch;
  const files = Object.entries(plan.meanwhile ?? {});
  for (const [path, text] of files) {
    mkdirSync(dirname(join(repo, path)), { recursive: true });
    writeFileSync(join(repo, path), text);
    git(scratch, repo, 'add', '--', path);
  }
  git(scratch, repo, 'commit', '-q', '-m', 'Meanwhile', '--', ...files.map(([path]) => path));
}
