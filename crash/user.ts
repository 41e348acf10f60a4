/** What the user of a guided plan does next, from the log alone: approves, denies once, amends, raises a budget. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { steering } from './driver.ts';
import { lastStates, type LogEvent } from './log.ts';
import { amendedFiles } from './plans.ts';
import type { Random } from './random.ts';
import type { Scratch } from './scratch.ts';

/** Arguments of what is to be typed; null when nothing waits for the user, a sentence when nobody foresaw it. */
export function duty(
  scratch: Scratch,
  events: readonly LogEvent[],
  random: Random,
): readonly string[] | string | null {
  const { guided } = scratch.plan;
  if (guided === undefined) return null;
  const states = [...lastStates(events).values()];
  const isIn = (worker: string, ...types: readonly string[]): boolean =>
    states.some((event) => event.worker === worker && types.includes(event.type));
  const amended = events.some(({ type }) => type === 'plan.amended');
  if (!amended && isIn(guided.amendAfter, 'worker.complete')) {
    edit(scratch);
    return random.chance(0.5) ? ['plan', 'amend'] : ['daemon', 'start', '--amend'];
  }
  for (const worker of guided.approved) {
    const said = events.findLast(
      (event) => event.worker === worker && event.type.startsWith('approval.'),
    );
    if (said === undefined || said.type === 'approval.granted') continue;
    if (!isIn(worker, 'worker.ready', 'worker.pending', 'worker.blocked')) continue;
    const never = !events.some(({ type }) => type === 'approval.denied');
    return never && random.chance(0.4) ? ['deny', worker, '-m', 'not yet'] : ['approve', worker];
  }
  for (const event of states) {
    if (event.type !== 'worker.blocked' || event.data.text('blockedBy') !== '') continue;
    if (event.data.at('block').text('kind') === 'budget') {
      // What it holds up is amended first.
      if (amended) return ['budget', event.worker, '--add', '5000'];
      continue;
    }
    return steering(scratch, event) ?? `${event.worker} is blocked: ${event.data.text('reason')}`;
  }
  return null;
}

/** How a daemon is asked to go on with the plan files as they are. */
export function amending(scratch: Scratch, events: readonly LogEvent[]): readonly string[] {
  const amended = events.some(({ type }) => type === 'plan.amended');
  return isEdited(scratch) && !amended ? ['--amend'] : [];
}

/** Whether the run of the log is over. */
export function isOver(events: readonly LogEvent[]): boolean {
  return events.some(({ type }) => type === 'run.complete');
}

function edit(scratch: Scratch): void {
  if (isEdited(scratch)) return;
  for (const [path, text] of Object.entries(amendedFiles(scratch.plan))) {
    writeFileSync(join(scratch.repo, path), text);
    chmodSync(join(scratch.repo, path), 0o644);
  }
}

/** Whether the user has written the plan that the run is to have. */
export function isEdited({ repo, plan }: Scratch): boolean {
  return Object.entries(amendedFiles(plan)).every(([path, text]) => {
    try {
      return readFileSync(join(repo, path), 'utf8') === text;
    } catch {
      return false;
    }
  });
}
