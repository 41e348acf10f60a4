/** A round: one scratch repository from its first start to its landing, and the independent checker's verdict on it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkLanded } from './check-git.ts';
import { judge } from './checker.ts';
import { driveDaemon } from './daemon-drive.ts';
import { drive, land } from './driver.ts';
import type { Orders, Tally } from './orders.ts';
import { driveExactly, landExactly } from './exact.ts';
import { fingerprint } from './fingerprint.ts';
import type { ReferencePlan } from './plans.ts';
import { killAll } from './processes.ts';
import { random } from './random.ts';
import { linesOf, makeScratch } from './scratch.ts';

/** What an undisturbed run of a plan gave. */
export interface Reference {
  readonly plan: ReferencePlan;
  readonly tree: string;
  readonly usualMs: number;
}

export interface RoundOrders {
  readonly scratch: string;
  readonly plan: ReferencePlan;
  readonly launcher: string;
  readonly tally: Tally;
  readonly kills: number;
  readonly wishes: string[];
  /** Null when this is the undisturbed run. */
  readonly reference: Reference | null;
  readonly seed: number;
  readonly stream: number;
  readonly agents: boolean;
  /** Where exactly it is killed, instead of at random. */
  readonly places?: readonly string[];
}

export interface Round {
  readonly findings: readonly string[];
  readonly tree: string;
  readonly ms: number;
  /** How many of the exact places were met. */
  readonly met: number;
}

/** Plays one round. */
export async function playRound(orders: RoundOrders): Promise<Round> {
  const { plan, launcher, tally, kills, wishes, reference, seed, stream } = orders;
  const scratch = makeScratch(orders.scratch, plan, launcher);
  const prints = new Map(fingerprint(scratch));
  const driven: Orders = {
    scratch,
    random: random(seed, stream + 1_000_000),
    tally,
    kills,
    wishes,
    usualMs: reference?.usualMs ?? 0,
    agents: orders.agents && reference !== null,
    prints,
  };
  const since = performance.now();
  try {
    const { problem, met } =
      orders.places === undefined
        ? { problem: await (plan.guided === undefined ? drive : driveDaemon)(driven), met: 0 }
        : await driveExactly(driven, orders.places);
    const orphaned = join(scratch.side, 'orphaned');
    if (existsSync(orphaned)) tally.hung += linesOf(readFileSync(orphaned, 'utf8')).length;
    const ms = performance.now() - since;
    if (problem !== null) return { findings: [problem], tree: '', ms, met };
    const { findings, tree } = await judge({
      scratch,
      before: prints,
      tree: reference?.tree ?? null,
      agentsKilled: driven.agents,
    });
    if (findings.length > 0) return { findings, tree, ms, met };
    const landed =
      orders.places === undefined
        ? { problem: await land(driven), met: 0 }
        : await landExactly(driven, orders.places);
    const all = met + landed.met;
    if (landed.problem !== null) return { findings: [landed.problem], tree, ms, met: all };
    return { findings: checkLanded(scratch, tree), tree, ms, met: all };
  } finally {
    killAll(scratch.base);
  }
}
