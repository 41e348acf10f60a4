/** What one round is to be killed at, and what has been killed so far. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from './random.ts';
import type { Scratch } from './scratch.ts';

/** What has been done so far, over all rounds. */
export interface Tally {
  kills: number;
  starts: number;
  agentKills: number;
  /** Checks that hung because their czar had been killed, and had to be ended. */
  hung: number;
  /** Kills by place: a crash point, or how the instant was chosen. */
  readonly places: Map<string, number>;
}

export interface Orders {
  readonly scratch: Scratch;
  readonly random: Random;
  readonly tally: Tally;
  /** Kills of this round. */
  readonly kills: number;
  /** Crash points to be met, the next one first; taken from as they are tried. */
  readonly wishes: string[];
  /** How long the plan takes undisturbed, milliseconds. */
  readonly usualMs: number;
  /** Whether agents and shims are killed too. */
  readonly agents: boolean;
  /** The checkout as the user left it; the user's own acts change it. */
  readonly prints: Map<string, string>;
}

/** What of a round is still to be killed. */
export interface Left {
  kills: number;
  agents: number;
}

/** Kills after which crash points that no round has met yet come first. */
const closingIn = 150;

/** Points that only the first start can meet. */
const early = /^(mirror|integration|snapshot):/;
/** Points that only one verb meets; all others are a run's. */
const ofVerbs = { land: /^land:/, sync: /^sync:/ } as const;
/** What is started, as far as it decides which points can be met. */
export type Verb = 'run' | keyof typeof ofVerbs;

/** How long one start may take, milliseconds: longer where the machine is so busy that an undisturbed run is slow. */
export function patienceOf({ usualMs }: Pick<Orders, 'usualMs'>): number {
  return Math.max(120_000, 5 * usualMs);
}

/** Counts a kill at a place. */
export function hit(tally: Tally, left: { kills: number }, place: string): void {
  left.kills -= 1;
  tally.kills += 1;
  tally.places.set(place, (tally.places.get(place) ?? 0) + 1);
}

/** The next crash point that this start can meet, with the occurrence to be killed at; taken from the wishes. */
export function wish({ scratch, random, tally, wishes }: Orders, verb: Verb): string | null {
  const fresh = !existsSync(join(scratch.repo, '.git/czar/mirror.git'));
  const isOf = (name: string): Verb =>
    ofVerbs.land.test(name) ? 'land' : ofVerbs.sync.test(name) ? 'sync' : 'run';
  const fits = (name: string): boolean =>
    isOf(name) === verb && (verb !== 'run' || !early.test(name) || fresh);
  const isOpen = (name: string): boolean => !tally.places.has(name);
  // The first of the first start come seldom: those that nobody met go first from the beginning.
  const first = (name: string): boolean => fresh && verb === 'run' && early.test(name);
  const ranks: readonly ((name: string) => boolean)[] = [
    (name) => first(name) && isOpen(name),
    first,
    ...(tally.kills >= closingIn ? [(name: string) => fits(name) && isOpen(name)] : []),
    fits,
  ];
  const at = ranks.map((wanted) => wishes.findIndex(wanted)).find((index) => index >= 0);
  if (at === undefined) return null;
  const [name = ''] = wishes.splice(at, 1);
  const occurrence = name.startsWith('append:') ? 1 + random.below(8) : random.chance(0.85) ? 1 : 2;
  return occurrence === 1 || early.test(name) || verb !== 'run' ? name : `${name}#${occurrence}`;
}
