/**
 * Drives a guided plan from its first `czar daemon start` until its run and its daemon are over, while it kills the
 * daemon, its guardian, both, and commands: the guardian starts the next daemon, or the next command does.
 *
 * Owns every process that it starts. Whatever dies without having been killed is a finding.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { aims, whenMet } from './aim.ts';
import { Census, deathsOf } from './census.ts';
import { strikeAgent } from './driver.ts';
import { hit, wish, type Left, type Orders } from './orders.ts';
import { readLog, type LogEvent } from './log.ts';
import { kill, killAll, lives, type Background, type Found } from './processes.ts';
import { startCzar } from './scratch.ts';
import { amending, duty, isEdited, isOver } from './user.ts';

const lookMs = 30;
/** A whole run may take this long, milliseconds. */
const patienceMs = 300_000;
/** Nobody is there for so long before the user starts a daemon again. */
const goneMs = 200;
/** A daemon that a guardian started when nothing was left to do waits for half a minute to be asked for something. */
const partingMs = 60_000;
const dutyLimit = 60;
/** From the third death on a guardian pauses for longer than a round has time. */
const deathsOfGuardian = 2;

type Victim = 'daemon' | 'guardian' | 'both' | 'everything';

/** Runs the plan to its end. Null when it got there, else what stood in the way. */
export async function driveDaemon(orders: Orders): Promise<string | null> {
  return new DaemonDrive(orders).toEnd();
}

class DaemonDrive {
  readonly #orders: Orders;
  readonly #left: Left;
  readonly #census: Census;
  /** Kills so far: what a command says that one came across counts for nothing. */
  #strikes = 0;
  #strikesAtBegin = -1;
  #problem: string | null = null;
  /** Commands under way. */
  #busy = 0;
  #duties = 0;
  #isSteering = false;
  /** The crash point that is in the environment of the guardian. */
  #point: string | null = null;
  #hasMetPoint = false;
  #leader: Found | null = null;
  /** Starts under way: the daemon of each may yet come. */
  #starts = 0;
  /** Starts that were asked for while it led. */
  #startsOfLeader = 0;
  #life = new AbortController();
  readonly #struck = new Set<number>();
  /** Deaths that guardians have written down and that are accounted for, and kills that they have yet to notice. */
  #deaths = 0;
  #owed = 0;
  #deathsOfGuardian = 0;
  #events: readonly LogEvent[] = [];
  #size = -1;

  constructor(orders: Orders) {
    this.#orders = orders;
    this.#left = { kills: orders.kills, agents: orders.agents ? 2 : 0 };
    this.#census = new Census(orders.scratch.repo);
  }

  async toEnd(): Promise<string | null> {
    const since = performance.now();
    let goneSince: number | null = null;
    try {
      for (;;) {
        const seen = this.#census.look();
        const died = this.#whoDied(seen);
        this.#read();
        if (isOver(this.#events)) break;
        this.#problem ??= this.#census.finding ?? died;
        if (this.#problem !== null) return this.#problem;
        if (performance.now() - since > Math.max(patienceMs, 5 * this.#orders.usualMs))
          return 'the run has not ended under its daemon';
        const gone = seen.guardians.length + seen.daemons.length === 0;
        goneSince = gone ? (goneSince ?? performance.now()) : null;
        if (goneSince !== null && performance.now() - goneSince > goneMs && this.#mayBegin()) {
          this.#begin();
          goneSince = null;
        }
        const [leader] = seen.leaders;
        if (leader !== undefined && leader.pid !== this.#leader?.pid) this.#newLife(leader);
        if (!this.#isSteering && this.#events.length > 0) this.#steer();
        await sleep(lookMs);
      }
    } finally {
      this.#life.abort();
    }
    return this.#part();
  }

  /** What died that nobody killed, in a sentence; null when all deaths are accounted for. */
  #whoDied(seen: Background): string | null {
    const leader = this.#leader;
    let finding: string | null = null;
    if (leader !== null && !lives(leader.pid, leader.start)) {
      this.#leader = null;
      if (this.#struck.has(leader.pid)) this.#struck.delete(leader.pid);
      else if (this.#endedInOrder(leader.pid)) this.#strikes += 1;
      else if (this.#point !== null) {
        this.#owed += seen.guardians.length > 0 ? 1 : 0;
        this.#metPoint(this.#point);
      } else if (!this.#hasMetPoint) finding = `daemon ${leader.pid} died by itself`;
      // Else its guardian has started it with the crash point that another has met.
    }
    const deaths = deathsOf(this.#orders.scratch.repo);
    for (const code of deaths.slice(this.#deaths)) {
      this.#deathsOfGuardian += 1;
      if (code !== 137) finding ??= `a daemon died with exit code ${code}`;
      if (this.#owed > 0) this.#owed -= 1;
      else if (this.#point !== null) this.#metPoint(this.#point);
      else if (!this.#hasMetPoint) finding ??= 'a daemon died before it led';
    }
    this.#deaths = deaths.length;
    // The guardian would start it with the same crash point again: the next command does instead.
    if (this.#hasMetPoint && this.#owed === 0)
      for (const one of [...seen.guardians, ...seen.daemons]) this.#killOne(one);
    return finding;
  }

  /**
   * Whether it ended in good order, for a cause: a daemon without its guardian ends for whoever starts one, who may be
   * killed before another lives; and one that its guardian started after a kill in the very beginning finds no run.
   */
  #endedInOrder(pid: number): boolean {
    const events = readLog(this.#orders.scratch.repo)?.events ?? [];
    const begun = events.findLastIndex(
      ({ type, data }) => type === 'loop.started' && data.text('pid') === String(pid),
    );
    const after = events.slice(begun + 1).find(({ type }) => type.startsWith('loop.'));
    const hasRun = events.some(({ type }) => type === 'run.started');
    return begun >= 0 && after?.type === 'loop.ended' && (this.#startsOfLeader > 0 || !hasRun);
  }

  #metPoint(point: string): void {
    hit(this.#orders.tally, this.#left, nameOf(point));
    this.#strikes += 1;
    this.#point = null;
    this.#hasMetPoint = true;
  }

  #mayKill(): boolean {
    return this.#left.kills > 0;
  }

  #mayBegin(): boolean {
    return this.#busy === 0 || this.#strikes > this.#strikesAtBegin;
  }

  /** The user starts a daemon, sometimes in several terminals at once. */
  #begin(): void {
    const { scratch, random, wishes } = this.#orders;
    if (this.#strikesAtBegin === this.#strikes && this.#struck.size === 0) {
      this.#problem = 'the daemon has ended, and its run has not';
      return;
    }
    // A start that is under way may yet bring a daemon, with the point that it was given: that one stays.
    if (this.#starts === 0) {
      if (this.#point !== null) wishes.push(nameOf(this.#point));
      this.#point = this.#mayKill() && random.chance(0.4) ? wish(this.#orders, 'run') : null;
    }
    this.#strikesAtBegin = this.#strikes;
    this.#hasMetPoint = false;
    this.#owed = 0;
    this.#deathsOfGuardian = 0;
    const args = ['daemon', 'start', ...amending(scratch, this.#events)];
    const times = this.#point === null && random.chance(0.3) ? 2 + random.below(2) : 1;
    const extra = this.#point === null ? {} : { CZAR_CRASH_AT: this.#point };
    const isKilled = this.#mayKill() && times === 1 && this.#point === null && random.chance(0.15);
    for (let time = 0; time < times; time += 1)
      void this.#command(args, { extra, killedWithin: isKilled ? 1_500 : null });
  }

  /** Plans what is killed of the daemon that leads now, and when. */
  #newLife(leader: Found): void {
    this.#life.abort();
    this.#life = new AbortController();
    this.#leader = leader;
    this.#startsOfLeader = 0;
    this.#arm();
    const { random } = this.#orders;
    if (this.#left.agents > 0 && random.chance(0.5))
      void strikeAgent(this.#orders, this.#left, this.#life.signal);
  }

  #arm(): void {
    const { scratch, random, usualMs, agents } = this.#orders;
    const { signal } = this.#life;
    const dice = random.next();
    const after = (ms: number, act: () => void): void => {
      const timer = setTimeout(act, ms);
      signal.addEventListener('abort', () => clearTimeout(timer));
    };
    if (!this.#mayKill() || signal.aborted) return;
    if (random.chance(0.1)) {
      after(random.next() * usualMs * 0.5, () => this.#handOver());
      return;
    }
    const victim: Victim =
      agents && random.chance(0.3)
        ? 'everything'
        : dice < 0.45
          ? 'daemon'
          : dice < 0.8
            ? 'both'
            : 'guardian';
    const instant = random.next();
    if (this.#point === null && random.chance(0.5)) {
      const aim = random.pick(aims) ?? 'worker.active';
      const later = random.chance(0.3) ? 0 : random.next() * 250;
      const callOff = whenMet(scratch.repo, aim, () => {
        after(later, () => this.#strike(victim, `after ${aim}`));
      });
      signal.addEventListener('abort', callOff);
    }
    const latest = this.#point === null ? instant ** 2 : 0.4 + 0.6 * instant;
    after(usualMs * latest, () => this.#strike(victim, 'at a random instant'));
  }

  #strike(wanted: Victim, when: string): void {
    if (!this.#mayKill() || this.#life.signal.aborted) return;
    const { scratch, tally, random } = this.#orders;
    const { guardians, daemons } = this.#census.look();
    const asleep = this.#deathsOfGuardian >= deathsOfGuardian;
    const victim =
      guardians.length === 0 && wanted !== 'everything'
        ? 'daemon'
        : asleep && wanted === 'daemon'
          ? 'both'
          : wanted;
    if (daemons.length === 0) return;
    this.#life.abort();
    this.#strikes += 1;
    hit(tally, this.#left, victim === 'everything' ? 'everything at once' : `${victim} ${when}`);
    switch (victim) {
      case 'everything':
        for (const { pid } of daemons) this.#struck.add(pid);
        killAll(scratch.base);
        return;
      case 'guardian':
        for (const one of guardians) kill(one);
        this.#life = new AbortController();
        this.#arm();
        return;
      case 'daemon':
        // Of several that were started at once each has its guardian.
        this.#owed += guardians.length > 0 ? daemons.length : 0;
        for (const one of daemons) this.#killOne(one);
        // Who is quicker: the guardian, or the user who starts one?
        if (random.chance(0.3))
          void this.#command(['daemon', 'start', ...amending(scratch, this.#events)]);
        return;
      case 'both': {
        const first = random.chance(0.5) ? [guardians, daemons] : [daemons, guardians];
        this.#owed += daemons.length;
        for (const one of first.flat()) this.#killOne(one);
        return;
      }
    }
  }

  #killOne(one: Found): void {
    if (kill(one)) this.#struck.add(one.pid);
  }

  /** The daemon is replaced: nothing may come of it. */
  #handOver(): void {
    if (this.#leader === null || this.#life.signal.aborted) return;
    this.#struck.add(this.#leader.pid);
    void this.#command(['daemon', 'restart'], { fine: [3] });
  }

  #steer(): void {
    const { scratch, random } = this.#orders;
    const todo = duty(scratch, this.#events, random);
    if (todo === null) return;
    this.#duties += 1;
    if (typeof todo === 'string') this.#problem = todo;
    else if (this.#duties > dutyLimit)
      this.#problem = `after ${dutyLimit} answers it still waits for czar ${todo.join(' ')}`;
    else {
      this.#isSteering = true;
      const killedWithin = this.#mayKill() && random.chance(0.25) ? 400 : null;
      // Exit code 4: an earlier one that was killed had got through.
      void this.#command(todo, { fine: [4], killedWithin }).finally(() => {
        this.#isSteering = false;
      });
    }
  }

  async #command(
    args: readonly string[],
    {
      extra = {},
      fine = [],
      killedWithin = null,
    }: {
      readonly extra?: Readonly<Record<string, string>>;
      readonly fine?: readonly number[];
      readonly killedWithin?: number | null;
    } = {},
  ): Promise<void> {
    const { scratch, random, tally } = this.#orders;
    const strikes = this.#strikes;
    const wasPointed = this.#point !== null;
    tally.starts += 1;
    this.#busy += 1;
    const isStart = args[1] === 'start';
    if (isStart) this.#startsOfLeader += 1;
    if (isStart) this.#starts += 1;
    const { child, ended: result } = startCzar(scratch, args, extra);
    const soon = setTimeout(
      () => child.kill('SIGKILL'),
      killedWithin === null ? patienceMs : random.next() * killedWithin,
    );
    const { code, killed } = await result;
    clearTimeout(soon);
    if (isStart) this.#starts -= 1;
    if (killed && killedWithin !== null) {
      this.#strikes += 1;
      hit(tally, this.#left, args[0] === 'daemon' ? 'while starting a daemon' : 'while steering');
    } else if (code === 4 && isStart && !args.includes('--amend') && isEdited(scratch)) {
      // The plan files were edited under it.
    } else if (code !== 0 && !fine.includes(code ?? -1)) {
      // What died under it may not have been noticed yet.
      await sleep(500);
      // One that had nothing left to do may end while it is asked.
      const ended = isOver(readLog(scratch.repo)?.events ?? []);
      if (this.#strikes === strikes && !wasPointed && !ended)
        this.#problem ??= `czar ${args.join(' ')} ended with exit code ${code}`;
    }
    this.#busy -= 1;
  }

  /** The log, when it has grown. */
  #read(): void {
    const { repo } = this.#orders.scratch;
    const derived = join(repo, '.czar/logs/events.jsonl');
    const size = statSync(derived, { throwIfNoEntry: false })?.size ?? -1;
    if (size === this.#size && this.#busy === 0) return;
    this.#size = size;
    this.#events = readLog(repo)?.events ?? this.#events;
  }

  /** Daemon and guardian end by themselves; after kills the user ends one that waits to be asked for something. */
  async #part(): Promise<string | null> {
    const since = performance.now();
    let told = since;
    for (;;) {
      const { guardians, daemons } = this.#census.look();
      const now = performance.now();
      this.#problem ??= this.#census.finding;
      if (this.#problem !== null) return this.#problem;
      if (guardians.length + daemons.length + this.#busy === 0) break;
      if (now - since > partingMs)
        return `the run is over, and ${[...guardians, ...daemons].map(({ pid, command }) => `${command} ${pid}`).join(', ')} is left`;
      if (this.#strikes > 0 && this.#busy === 0 && now - told > 3_000) {
        told = now;
        void this.#command(['daemon', 'stop'], { fine: [3] });
      }
      await sleep(lookMs);
    }
    // One that was killed when its run was over has left things to the next.
    if (this.#strikes > 0) await this.#command(['run']);
    return this.#problem;
  }
}

function nameOf(point: string): string {
  return point.split('#')[0] ?? point;
}
