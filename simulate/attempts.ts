/**
 * Attempts' folders and the processes behind them: what a shim records, what an agent does, how both end. The folder's
 * records are all that a loop ever sees of a process.
 */
import type { AttemptEnd, Judgement, ProcessIdentity, Report } from '../src/core/events.ts';
import type { WorkerDefinition } from '../src/core/plan.ts';
import type { Random } from './random.ts';
import { listen, signOfLife } from './silence.ts';
import type { Owner, World, Worktree } from './world.ts';

export type StopWhy = 'timeout' | 'requested' | 'interrupted' | 'unattended';

export interface AttemptFolder {
  readonly key: string;
  readonly run: string;
  readonly worker: string;
  readonly n: number;
  status: 'none' | 'void' | 'running' | 'exited';
  process: ProcessIdentity | null;
  /** Truth of the process table. */
  alive: boolean;
  code: number | null;
  stopped: StopWhy | null;
  /** Lines of the report file; null is one that is not acceptable. */
  readonly said: (Report | null)[];
  /** Lines of the output that count. */
  readonly printed: Report[];
  /** Answers that a loop put there, by id. */
  readonly answers: Map<string, 'allow' | 'deny'>;
  /** Goes on with what waits for an answer; null when nothing does. */
  answered: (() => void) | null;
  readonly watchers: Set<() => void>;
  /** Loops that watch now. */
  readonly watching: Set<Owner>;
  watchedAt: number;
  startedAt: number;
  /** Loops that had been started when it was. */
  startedUnder: number;
  ignoresTerm: boolean;
  /** When it last printed, reported, committed or was answered: in time that passed, and as the wall clock showed it. */
  sign: { readonly mono: number; readonly wall: number };
  /** The longest that it was silent before its last sign, milliseconds. */
  silence: number;
  /** What it wrote was deleted, once its run was over. */
  pruned: boolean;
  /** How often a process was started for this attempt. */
  spawned: number;
}

export function folderOf(
  world: World,
  of: { readonly run: string; readonly worker: string; readonly attempt: number },
): AttemptFolder {
  const key = `${of.run}/${of.worker}/${of.attempt}`;
  const known = world.attempts.get(key);
  if (known !== undefined) return known;
  const folder: AttemptFolder = {
    key,
    run: of.run,
    worker: of.worker,
    n: of.attempt,
    status: 'none',
    process: null,
    alive: false,
    code: null,
    stopped: null,
    said: [],
    printed: [],
    answers: new Map(),
    answered: null,
    watchers: new Set(),
    watching: new Set(),
    watchedAt: 0,
    startedAt: 0,
    startedUnder: 0,
    ignoresTerm: false,
    sign: { mono: 0, wall: 0 },
    silence: 0,
    pruned: false,
    spawned: 0,
  };
  world.attempts.set(key, folder);
  return folder;
}

/** Starts the attempt's program; the folder was claimed for it. */
export function spawn(
  world: World,
  folder: AttemptFolder,
  options: {
    readonly tree: Worktree | null;
    readonly definition: WorkerDefinition;
    readonly unattendedMs: number;
  },
): void {
  world.pids += 1;
  folder.status = 'running';
  folder.process = { pid: world.pids, start: String(world.mono), boot: `boot-${world.boot}` };
  folder.alive = true;
  folder.spawned += 1;
  folder.startedAt = world.mono;
  folder.startedUnder = world.loops;
  folder.watchedAt = world.mono;
  folder.sign = { mono: world.mono, wall: world.wall };
  folder.ignoresTerm = world.faults.strikes('ignores-term', 'agent');
  world.say(`spawn ${folder.key} pid ${world.pids}`);
  live(world, folder, options);
  watchdog(world, folder, options.unattendedMs);
  if (options.definition.stall !== undefined)
    listen(world, folder, options.definition.stall.afterMs);
}

/** The process ends and its exit is recorded. */
export function exit(world: World, folder: AttemptFolder, code: number): void {
  if (!folder.alive) return;
  folder.alive = false;
  folder.status = 'exited';
  folder.code = code;
  world.say(`exit ${folder.key} ${code}`);
  notify(world, folder);
}

/** The process ends and nothing is recorded. */
export function die(world: World, folder: AttemptFolder): void {
  if (!folder.alive) return;
  folder.alive = false;
  world.say(`die ${folder.key}`);
  notify(world, folder);
}

/** Every process of the machine ends; the next boot has another id. */
export function reboot(world: World): void {
  world.boot += 1;
  for (const folder of world.attempts.values()) die(world, folder);
}

/** How the attempt ended, as its records tell; null while it may live. */
export function endNow(folder: AttemptFolder): AttemptEnd | null {
  if (folder.status === 'exited') {
    const code = folder.code ?? 1;
    return folder.stopped === null
      ? { how: 'exited', code }
      : { how: 'stopped', why: folder.stopped, code };
  }
  return folder.alive ? null : endWithoutExit(folder, 'it was killed with what records its exit');
}

export function endWithoutExit(folder: AttemptFolder, why: string): AttemptEnd {
  return folder.stopped === null
    ? { how: 'lost', why }
    : { how: 'stopped', why: folder.stopped, code: null };
}

/** What the end means. */
export function judgementOf(end: AttemptEnd): Judgement {
  switch (end.how) {
    case 'lost':
      return { kind: 'lost', why: end.why };
    case 'stopped':
      return end.why === 'timeout'
        ? { kind: 'failed', reason: 'it reached its time limit', final: false }
        : { kind: 'lost', why: 'it was stopped' };
    case 'exited':
      if (end.code === 0) return { kind: 'well' };
      if (end.code === 75) return { kind: 'quota', reason: 'try later', until: null };
      return { kind: 'failed', reason: `it ended with ${end.code}`, final: end.code === 127 };
  }
}

/** Tells whoever watches that something changed; sometimes late. */
function notify(world: World, folder: AttemptFolder): void {
  if (folder.watchers.size === 0) return;
  const late = world.faults.strikes('lost-wakeup', 'watch');
  world.after(late ? 2_000 : 1, () => wakeAll(folder));
}

/** Wakes whoever watches now. */
export function wakeAll(folder: AttemptFolder): void {
  const watchers = Array.from(folder.watchers);
  for (const watcher of watchers) watcher();
}

/** The process ends itself when no loop has watched it for too long. */
function watchdog(world: World, folder: AttemptFolder, unattendedMs: number): void {
  const look = (): void => {
    if (!folder.alive) return;
    const since = folder.watching.size > 0 ? world.mono : folder.watchedAt;
    const left = since + unattendedMs - world.mono;
    if (left > 0) {
      world.after(left, look);
      return;
    }
    folder.stopped ??= 'unattended';
    world.coverage.hit('end', 'unattended');
    exit(world, folder, 143);
  };
  world.after(unattendedMs, look);
}

interface Life {
  readonly tree: Worktree | null;
  readonly definition: WorkerDefinition;
}

/** What the agent does, one thing after another. */
function live(world: World, folder: AttemptFolder, life: Life): void {
  const { agent, faults } = world;
  const things = 1 + agent.below(4);
  const noticed = life.definition.timeoutMs !== null || life.definition.stall !== undefined;
  const hangs = noticed && faults.strikes('hang', 'agent');
  const dies = faults.strikes('silent-death', 'agent');
  const well = agent.chance(world.calm ? 0.9 : 0.75);
  let left = things;
  const go = (): void => {
    if (!folder.alive) return;
    if (left > 0) {
      left -= 1;
      const head = life.tree?.head;
      doSomething(world, folder, life, things - left === 1);
      if (life.tree?.head !== head) signOfLife(world, folder);
      if (agent.chance(0.05)) askAndWait(world, folder, () => world.after(pause(agent), go));
      else world.after(pause(agent), go);
      return;
    }
    if (hangs) return;
    if (dies) die(world, folder);
    else if (well) finish(world, folder, life);
    else if (life.definition.fallback === undefined)
      exit(world, folder, agent.pick([1, 1, 1, 1, 1, 1, 1, 1, 75, 127]));
    else exit(world, folder, agent.pick([1, 75, 75, 127]));
  };
  world.after(pause(agent), go);
}

/** Asks for a permission, or a question with a wait; gives up by itself when no loop is there to answer. */
function askAndWait(world: World, folder: AttemptFolder, next: () => void): void {
  const { agent } = world;
  const permission = agent.chance(0.7);
  const id = `${permission ? 'p' : 'q'}${folder.said.length + 1}`;
  const ms = permission ? 660_000 : 1_000 + agent.below(300_000);
  let waits = true;
  const go = (how: string): void => {
    if (!waits) return;
    waits = false;
    folder.answered = null;
    world.coverage.hit('end', `${permission ? 'permission' : 'question'} ${how}`);
    next();
  };
  folder.answered = () => {
    const answer = folder.answers.get(id);
    if (answer !== undefined) go(answer);
  };
  world.after(ms, () => {
    if (!waits || !folder.alive) return;
    say(world, folder, { kind: 'gave-up', id });
    go('given up');
  });
  const request = { kind: 'command', title: 'push', command: 'git push' } as const;
  say(
    world,
    folder,
    permission
      ? { kind: 'permission', id, request }
      : { kind: 'ask', text: 'which way?', wait: { id, ms } },
  );
}

function pause(random: Random): number {
  return random.chance(0.2) ? 20_000 + random.below(60_000) : 10 + random.below(3_000);
}

function finish(world: World, folder: AttemptFolder, { definition, tree }: Life): void {
  const { agent } = world;
  if (definition.handoff === 'required' && agent.chance(0.85))
    say(world, folder, { kind: 'handoff', text: 'done' });
  for (const path of definition.deliverables) {
    if (tree !== null && agent.chance(0.9) && !tree.files.has(path))
      tree.files.set(path, world.blob());
  }
  if (agent.chance(0.04)) say(world, folder, { kind: 'ask', text: 'which way?' });
  if (tree !== null && agent.chance(0.6)) commit(world, tree);
  exit(world, folder, 0);
}

function doSomething(world: World, folder: AttemptFolder, life: Life, first: boolean): void {
  const { agent } = world;
  const { tree } = life;
  if (tree !== null) {
    if (first) bringIn(world, tree);
    if (agent.chance(0.75)) edit(world, life, tree);
    if (agent.chance(0.5)) commit(world, tree);
    if (world.faults.strikes('rewrite', 'agent')) rewrite(world, tree);
  }
  if (agent.chance(0.5)) say(world, folder, reportOf(agent));
  if (agent.chance(0.15)) say(world, folder, null);
  if (agent.chance(0.3)) print(world, folder);
}

const texts = ['one', 'two', 'three'];

function reportOf(random: Random): Report {
  const n = random.below(12);
  if (n < 3) return { kind: 'task-start', task: random.pick(texts) };
  if (n < 5) return { kind: 'task-complete', task: random.pick(texts) };
  if (n < 7) return { kind: 'checkpoint', name: random.pick(texts) };
  if (n < 8) return { kind: 'handoff', text: 'so far' };
  if (n === 9 && random.chance(0.3)) return { kind: 'session', id: 's' };
  if (n === 10 && random.chance(0.2)) return { kind: 'denied', tool: 'shell', detail: 'rm' };
  if (n === 8 && random.chance(0.3)) return { kind: 'blocked', text: 'no key' };
  if (n === 11 && random.chance(0.5)) return listOf(random);
  return {
    kind: 'usage',
    usage: { input: 10 + random.below(90), output: 1, cached: 0, costUsd: 0 },
  };
}

/** A list of its own. */
function listOf(random: Random): Report {
  const ref = random.pick(['1', '2']);
  return random.chance(0.6)
    ? { kind: 'task-listed', task: random.pick(texts), ref }
    : { kind: 'task-moved', ref, to: random.pick(['started', 'completed'] as const) };
}

function say(world: World, folder: AttemptFolder, report: Report | null): void {
  folder.said.push(report);
  signOfLife(world, folder);
  notify(world, folder);
}

function print(world: World, folder: AttemptFolder): void {
  const input = 10 + world.agent.below(90);
  folder.printed.push({ kind: 'usage', usage: { input, output: 2, cached: 0, costUsd: 0 } });
  signOfLife(world, folder);
  notify(world, folder);
}

/** A path that the worker may change, most of the time. */
function edit(world: World, { definition }: Life, tree: Worktree): void {
  const { agent } = world;
  const own = definition.owns?.map((glob) => `${glob.replace('/**', '')}/${agent.below(3)}`) ?? [
    `${definition.id}.txt`,
    `${definition.id}-${agent.below(3)}.txt`,
    'shared.txt',
  ];
  const path = agent.chance(0.05) ? agent.pick(['shared.txt', 'guard.yml']) : agent.pick(own);
  if (agent.chance(0.1) && tree.files.has(path)) tree.files.delete(path);
  else tree.files.set(path, world.blob());
}

function commit(world: World, tree: Worktree): void {
  const id = world.git.tree(tree.files);
  if (world.git.look(tree.head).tree === id) return;
  tree.head = world.git.commit(id, [tree.head], `agent ${world.mono}`);
  tree.made.add(tree.head);
}

/** Goes back a commit, as `reset --hard HEAD~1` does. */
function rewrite(world: World, tree: Worktree): void {
  const [parent] = world.git.look(tree.head).parents;
  if (parent === undefined) return;
  tree.head = parent;
  tree.files = new Map(world.git.files(world.git.look(parent).tree));
}

/** Merges the integration tip that a conflict left, with its own side where both changed. */
function bringIn(world: World, tree: Worktree): void {
  const { git } = world;
  const { offered } = tree;
  if (offered === null || git.isAncestor(offered, tree.head) || world.agent.chance(0.1)) return;
  commit(world, tree);
  const base = git.files(git.look(git.mergeBase(offered, tree.head)).tree);
  const theirs = git.files(git.look(offered).tree);
  for (const path of new Set([...base.keys(), ...theirs.keys()])) {
    const their = theirs.get(path);
    if (their === base.get(path) || tree.files.get(path) !== base.get(path)) continue;
    if (their === undefined) tree.files.delete(path);
    else tree.files.set(path, their);
  }
  tree.head = git.commit(git.tree(tree.files), [tree.head, offered], `agent merges ${world.mono}`);
  tree.made.add(tree.head);
}
