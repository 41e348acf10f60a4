/**
 * Which faults strike, and where. Each seed has a profile of its own: some kinds are off, some rare, some frequent, so
 * that runs differ in what they are about. Every site and every strike is counted.
 */
import type { Coverage } from './coverage.ts';
import { stream, type Random } from './random.ts';

/** Kinds of faults with the highest rate at which each strikes. */
export const faultRates = {
  /** An effect throws at this place. */
  throw: 0.06,
  /** The loop's process dies at this place. */
  crash: 0.02,
  /** An effect is slow. */
  slow: 0.1,
  /** The outcome of an effect never arrives. */
  'lost-outcome': 0.05,
  /** The outcome arrives again later. */
  'duplicate-outcome': 0.08,
  /** A change in an attempt's folder is noticed late. */
  'lost-wakeup': 0.2,
  /** The process table cannot be read. */
  'unknown-liveness': 0.2,
  /** An agent is killed together with what records its exit. */
  'silent-death': 0.1,
  /** An agent hangs until it is stopped. */
  hang: 0.1,
  /** An agent ignores the polite signal. */
  'ignores-term': 0.3,
  /** An agent throws away commits of its branch. */
  rewrite: 0.1,
  /** A check gives no verdict. */
  inconclusive: 0.05,
  /** An aborted effect goes on to its end. */
  'ignores-abort': 0.5,
  /** The log cannot be written now. */
  'disk-full': 0.03,
  /** The log is locked. */
  'log-locked': 0.03,
  /** Writing the log fails; nothing was stored. */
  'io-error': 0.005,
  /** Writing the log fails after it was stored. */
  'io-error-stored': 0.005,
  /** The process dies just before or after the append. */
  'crash-append': 0.01,
  /** The wall clock jumps. */
  'clock-jump': 0.03,
  /** The machine restarts. */
  reboot: 0.003,
  /** The loop's process dies at any moment. */
  kill: 0.008,
  /** A second loop opens the same log. */
  'second-owner': 0.006,
  /** The loop is asked to end and a new one begins. */
  restart: 0.005,
  /** The user moves the target or a branch of the run. */
  'user-moves': 0.01,
} as const;

export type FaultKind = keyof typeof faultRates;

export class Faults {
  readonly #random: Random;
  readonly #coverage: Coverage;
  readonly #rates = new Map<FaultKind, number>();
  readonly #without: ReadonlySet<string>;
  active = true;
  /** Sites at which the process still has to die, the next one first; apart from chance. */
  readonly kills: string[];
  /** Whether those that are left still count. */
  killing = true;

  constructor(
    seed: number,
    without: ReadonlySet<string>,
    { coverage, kills }: { readonly coverage: Coverage; readonly kills: readonly string[] },
  ) {
    this.#without = without;
    this.kills = [...kills];
    this.#coverage = coverage;
    const profile = stream(seed, 'profile');
    for (const [kind, rate] of Object.entries(faultRates)) {
      const share = profile.pick([0, 0.3, 1]);
      this.#rates.set(kind as FaultKind, rate * share);
    }
    this.#random = stream(seed, 'fault');
  }

  /** Whether the fault strikes at this place. */
  strikes(kind: FaultKind, site: string): boolean {
    const struck = this.#random.next() < (this.#rates.get(kind) ?? 0);
    if (!struck || !this.active || this.#without.has(kind)) return false;
    this.#coverage.hit('fault', `${kind} at ${site}`);
    return true;
  }

  /** Whether the process has to die here because it was asked for: `site#n` asks for the n-th time from now on. */
  isKilledAt(site: string): boolean {
    const [name, count = '1'] = this.kills[0]?.split('#') ?? [];
    if (name !== site || !this.killing) return false;
    this.kills.shift();
    if (count !== '1') this.kills.unshift(`${name}#${Number(count) - 1}`);
    return count === '1';
  }
}
