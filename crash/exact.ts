/**
 * Kills at places given beforehand, one process each: the first start is killed at the first place, the start after it
 * at the second, and so on. What no start passes is not met, and the run goes to its end undisturbed.
 */
import { attend } from './attend.ts';
import { bringIn, isOutdated } from './bring-in.ts';
import { driveDaemon } from './daemon-drive.ts';
import { drive, land, steer } from './driver.ts';
import { readLog, type LogEvent } from './log.ts';
import { patienceOf, type Orders, type Tally } from './orders.ts';
import { startCzar } from './scratch.ts';
import { amending, duty, isOver } from './user.ts';

/** Places that announce themselves so often that more than their first occurrence counts. */
const frequent = /^append:/;
/** Occurrences of those that are killed, each for itself. */
const occurrences = [1, 2, 3, 5, 8, 13, 21, 34];

const ofLanding = /^land:/;

/** What one process can be killed at: each named point, and several occurrences of those that are met all the time. */
export function placesOf(points: readonly string[]): readonly string[] {
  return points.flatMap((name) =>
    frequent.test(name) ? occurrences.map((n) => (n === 1 ? name : `${name}#${n}`)) : [name],
  );
}

/** Ordered pairs of which the second can come after the first: a landing begins when the run is over. */
export function pairsOf(points: readonly string[]): readonly (readonly [string, string])[] {
  return points.flatMap((first) =>
    points
      .filter((second) => !ofLanding.test(first) || ofLanding.test(second))
      .map((second) => [first, second] as const),
  );
}

export interface Exact {
  /** What stood in the way of the end; null when it got there. */
  readonly problem: string | null;
  /** How many of the places were met, in their order; the first that was not ends the killing. */
  readonly met: number;
}

/** Runs the plan to its end, killed at those of the places that a run passes. */
export async function driveExactly(orders: Orders, places: readonly string[]): Promise<Exact> {
  const mine = places.filter((place) => !ofLanding.test(place));
  if (orders.scratch.plan.guided !== undefined) return driveGuided(orders, mine);
  let met = 0;
  for (let steered = 0; met < mine.length && steered < 20;) {
    const place = mine[met] ?? '';
    const { killed, code } = await start(orders, 'run', place);
    if (killed) met += 1;
    else if (code === 5 && isOutdated(orders.scratch)) {
      const { problem, killed: inSync } = await bringIn(orders, { kills: 0 }, place);
      if (problem !== null) return { problem, met };
      if (inSync) met += 1;
    } else if (code === 5) {
      steered += 1;
      const problem = await steer(orders, { kills: 0 });
      if (problem !== null) return { problem, met };
    } else break;
  }
  return { problem: await drive(orders), met };
}

/** The same in a daemon that stays in its terminal: nobody starts it again at the place that it died at. */
async function driveGuided(orders: Orders, places: readonly string[]): Promise<Exact> {
  const { scratch } = orders;
  const log = (): readonly LogEvent[] => readLog(scratch.repo)?.events ?? [];
  let met = 0;
  while (met < places.length) {
    const args = ['daemon', 'start', '--foreground', '--exit-when-waiting'];
    const { killed } = await startAt(orders, [...args, ...amending(scratch, log())], places[met]);
    if (killed) met += 1;
    else if (isOver(log())) break;
    for (;;) {
      const todo = duty(scratch, log(), orders.random);
      if (typeof todo === 'string') return { problem: todo, met };
      if (todo === null) break;
      // A daemon in the background would go on without being killed.
      const typed = todo[0] === 'daemon' ? ['plan', 'amend'] : todo;
      const { code } = await startCzar(scratch, typed).ended;
      if (code !== 0 && code !== 4)
        return { problem: `czar ${typed.join(' ')} ended with exit code ${code}`, met };
    }
  }
  return { problem: await driveDaemon(orders), met };
}

/** Lands the run, killed at those of the places that a landing passes. */
export async function landExactly(orders: Orders, places: readonly string[]): Promise<Exact> {
  const mine = places.filter((place) => ofLanding.test(place));
  let met = 0;
  while (met < mine.length && (await start(orders, 'land', mine[met] ?? '')).killed) met += 1;
  return { problem: await land(orders), met };
}

async function start(
  orders: Orders,
  verb: 'run' | 'land',
  place: string,
): Promise<{ readonly killed: boolean; readonly code: number | null }> {
  const args = verb === 'run' ? [verb, ...(orders.scratch.plan.run ?? [])] : [verb];
  return startAt(orders, args, place);
}

async function startAt(
  orders: Orders,
  args: readonly string[],
  place = '',
): Promise<{ readonly killed: boolean; readonly code: number | null }> {
  const { scratch, tally } = orders;
  await using _user = attend(scratch);
  const { child, ended } = startCzar(scratch, args, { CZAR_CRASH_AT: place });
  tally.starts += 1;
  const patience = setTimeout(() => child.kill('SIGTERM'), patienceOf(orders));
  const { killed, code } = await ended;
  clearTimeout(patience);
  // A shell between us and the process gives 137 for SIGKILL.
  const hit = killed || code === 137;
  if (hit) count(tally, place.split('#')[0] ?? place);
  return { killed: hit, code };
}

function count(tally: Tally, name: string): void {
  tally.kills += 1;
  tally.places.set(name, (tally.places.get(name) ?? 0) + 1);
}
