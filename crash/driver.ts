/**
 * Drives one scratch repository from its first start to its landing, killing `czar` again and again: at named crash
 * points, at random instants, twice in quick succession, and on request its agents and their shims too.
 *
 * Owns every process it starts. Invariant: which kills are tried follows from the random numbers alone; when they meet
 * the process depends on the machine.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { aims, claim, whenMet } from './aim.ts';
import { attend } from './attend.ts';
import { bringIn, isOutdated } from './bring-in.ts';
import { lastStates, readLog, type LogEvent } from './log.ts';
import { hit, patienceOf, wish, type Left, type Orders, type Verb } from './orders.ts';
import { kill, killAll, lives, processesOf, type Found } from './processes.ts';
import { linesOf, startCzar, type Ended, type Scratch } from './scratch.ts';

/** Starts that end by themselves without the run being over, before it counts as stuck. */
const steeringLimit = 20;

/** Runs the plan to its end. Null when it got there, else what stood in the way. */
export async function drive(orders: Orders): Promise<string | null> {
  const left = { kills: orders.kills, agents: orders.agents ? 2 : 0 };
  for (let waits = 0; waits < steeringLimit;) {
    const ended = await start(orders, ['run', ...(orders.scratch.plan.run ?? [])], left);
    if (ended === 'hangs') return 'czar run has not ended';
    if (ended.killed) continue;
    if (ended.code === 0) return null;
    if (ended.code !== 5) return `czar run ended with exit code ${ended.code}`;
    waits += 1;
    if (isOutdated(orders.scratch)) {
      const { problem } = await bringIn(orders, left);
      if (problem !== null) return problem;
      continue;
    }
    const problem = await steer(orders, left);
    if (problem !== null) return problem;
  }
  return `the run still waits after ${steeringLimit} answers`;
}

/** Lands the run on `main`. Null when it got there, else what stood in the way. */
export async function land(orders: Orders): Promise<string | null> {
  const left = { kills: Math.min(orders.kills, 3), agents: 0 };
  for (;;) {
    const ended = await start(orders, ['land'], left);
    if (ended === 'hangs') return 'czar land has not ended';
    if (ended.killed) continue;
    return ended.code === 0 ? null : `czar land ended with exit code ${ended.code}`;
  }
}

/** Does what the plan's worker waits for, and kills that too now and then while kills are left. */
export async function steer(orders: Orders, left: { kills: number }): Promise<string | null> {
  const { scratch, random, tally } = orders;
  const log = readLog(scratch.repo);
  const blocked = [...lastStates(log?.events ?? []).values()].filter(
    ({ type, data }) => type === 'worker.blocked' && data.text('blockedBy') === '',
  );
  if (blocked.length === 0) return 'the run waits and no worker is blocked';
  for (const event of blocked) {
    const args = steering(scratch, event);
    if (args === null) return `${event.worker} is blocked: ${event.data.text('reason')}`;
    const { child, ended } = startCzar(scratch, args);
    tally.starts += 1;
    if (left.kills > 0 && random.chance(0.3)) {
      const soon = setTimeout(() => child.kill('SIGKILL'), random.next() * 400);
      const how = await ended;
      clearTimeout(soon);
      if (how.killed) hit(tally, left, 'while steering');
      // What was asked may be in the log or not: the next look tells.
      if (how.killed) return null;
    }
    // Exit code 4: an earlier one that was killed had got through.
    const { code } = await ended;
    if (code !== 0 && code !== 4) return `czar ${args.join(' ')} ended with exit code ${code}`;
  }
  return null;
}

/** What the user types for a worker that is blocked; null when nothing is foreseen. */
export function steering(scratch: Scratch, { worker, data }: LogEvent): readonly string[] | null {
  switch (data.at('block').text('kind')) {
    case 'question':
    case 'blocker':
      return scratch.plan.steering[worker] ?? null;
    case 'lost':
      return ['unblock', worker];
    // Its reviewers were killed.
    case 'inconclusive':
      return ['retry', worker];
    default:
      return null;
  }
}

/** One start of czar with at most one kill. */
async function start(
  orders: Orders,
  args: readonly string[],
  left: Left,
): Promise<Ended | 'hangs'> {
  const { scratch, random, tally } = orders;
  const kill = left.kills > 0 ? planKill(orders, args[0] === 'land' ? 'land' : 'run') : null;
  const place = kill?.point ?? null;
  await using _user = attend(scratch);
  const { child, ended } = startCzar(scratch, args, place === null ? {} : { CZAR_CRASH_AT: place });
  tally.starts += 1;
  let how = place?.split('#')[0] ?? '';
  let hangs = false;
  const over = new AbortController();
  const after = (ms: number, act: () => void): void => {
    const timer = setTimeout(act, ms);
    over.signal.addEventListener('abort', () => clearTimeout(timer));
  };
  const killNow = (why: string): void => {
    if (child.exitCode !== null || child.signalCode !== null || !child.kill('SIGKILL')) return;
    how = kill?.everything === true ? 'everything at once' : why;
    if (kill?.everything === true) killAll(scratch.base);
  };
  if (kill !== null) after(kill.latestMs, () => killNow(kill.why));
  const aim = kill?.aim ?? null;
  if (kill !== null && aim !== null) {
    const callOff = whenMet(scratch.repo, aim, () => {
      after(kill.aimMs, () => killNow(`after ${aim}`));
    });
    over.signal.addEventListener('abort', callOff);
  }
  after(patienceOf(orders), () => {
    hangs = true;
    child.kill('SIGKILL');
  });
  const strike =
    left.agents > 0 && random.chance(0.5) ? strikeAgent(orders, left, over.signal) : null;
  const result = await ended;
  over.abort();
  await strike;
  if (hangs) return 'hangs';
  // A shell between us and the process gives 137 for SIGKILL.
  const killed = result.killed || result.code === 137;
  const wished = place?.split('#')[0];
  if (wished !== undefined && !(killed && how === wished)) orders.wishes.push(wished);
  if (killed) hit(tally, left, how);
  return { ...result, killed };
}

interface Kill {
  /** Value of CZAR_CRASH_AT. */
  readonly point: string | null;
  /** Event type after which it is killed, so many milliseconds later. */
  readonly aim: string | null;
  readonly aimMs: number;
  /** When it is killed at the latest: a place that is not met leaves the start to the clock. */
  readonly latestMs: number;
  readonly why: string;
  /** As when the machine goes down: every process of the scratch folder is killed with it. */
  readonly everything: boolean;
}

function planKill(orders: Orders, verb: Verb): Kill {
  const { random } = orders;
  const isLanding = verb === 'land';
  const span = isLanding ? 2_000 : orders.usualMs;
  const [dice, instant] = [random.next(), random.next()];
  const late = { latestMs: span * (0.4 + 0.6 * instant), why: 'at a random instant' };
  const everything = orders.agents && random.chance(0.3);
  const none = { point: null, aim: null, aimMs: 0, everything };
  if (dice < (isLanding ? 0.85 : 0.62)) {
    const point = wish(orders, verb);
    if (point !== null) return { ...none, ...late, point };
  }
  if (!isLanding && dice < 0.84) {
    // At once, or a moment later, when the effect that follows is under way.
    const aimMs = random.chance(0.3) ? 0 : random.next() * 250;
    return { ...none, ...late, aim: random.pick(aims) ?? null, aimMs };
  }
  if (dice < 0.94) return { ...none, ...late, latestMs: span * instant ** 2 };
  return { ...none, latestMs: 400 * instant, why: 'soon after the start' };
}

/** Kills one agent, or the shim above it, at a random instant of this start. */
export async function strikeAgent(orders: Orders, left: Left, signal: AbortSignal): Promise<void> {
  const { scratch, random, tally, usualMs } = orders;
  const shim = random.chance(0.4);
  if (random.chance(0.4)) return strikeShim(orders, left, signal);
  if (!(await pause(random.next() * usualMs * 0.4, signal))) return;
  const launches = join(scratch.side, 'launches');
  let found: Found | undefined;
  while (found === undefined) {
    if (!(await pause(50, signal))) return;
    const agents = existsSync(launches) ? linesOf(readFileSync(launches, 'utf8')) : [];
    found = processesOf(scratch.base).find(
      ({ pid, marked }) => marked && agents.some((line) => line.endsWith(` ${pid}`)),
    );
  }
  const parent = processesOf(scratch.base).find(({ pid }) => pid === found.parent);
  const target = shim && parent?.marked === true ? parent : found;
  if (!lives(target.pid, target.start) || !kill(target)) return;
  left.agents -= 1;
  tally.agentKills += 1;
}

/** Kills a shim as soon as it has claimed its attempt, when it may not have written who it is. */
async function strikeShim(
  { scratch, tally }: Orders,
  left: Left,
  signal: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const callOff = whenMet(scratch.repo, claim, () => {
      const shim = processesOf(scratch.base).find(
        ({ marked, command }) => marked && command.startsWith('/bin/sh -c czar_'),
      );
      if (shim !== undefined && kill(shim)) {
        left.agents -= 1;
        tally.agentKills += 1;
      }
      resolve();
    });
    signal.addEventListener('abort', () => {
      callOff();
      resolve();
    });
  });
}

/** False when the signal ended the waiting. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}
