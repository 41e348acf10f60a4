/**
 * `czar attach WORKER`: holds the worker, opens its agent's program or a shell in its working tree on this terminal, and
 * asks at the end what becomes of it. The worker is at rest while a person is in its tree.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { isFinal, isLive } from '../../core/lifecycle.ts';
import { type RunState, type WorkerState } from '../../core/state.ts';
import { agentOf } from '../../daemon/perform/agent-of.ts';
import { holderOf } from '../../daemon/holder.ts';
import { programFor, runOnTerminal } from '../../daemon/views/open-tree.ts';
import type { Place } from '../../daemon/place.ts';
import { exits } from '../exit.ts';
import { reading, readingWorker, streamEnd } from '../reading.ts';
import { insideAttempt, steer } from '../steering.ts';
import type { CliContext, Verb } from '../verb.ts';

const endings = ['submit', 'resume', 'leave'] as const;
type Ending = (typeof endings)[number];

interface AttachOptions {
  readonly then?: Ending;
  readonly shell?: boolean;
}

/** How long nobody may hold the repository while an agent is to be stopped, milliseconds: a guardian starts the next. */
const patienceMs = 20_000;

export const verb: Verb = {
  define(command, context) {
    command
      .argument('<worker>', 'worker whose tree is opened')
      .addOption(
        new Option('--then <what>', 'what becomes of it at the end, without a question').choices([
          ...endings,
        ]),
      )
      .option('--shell', 'opens $SHELL, also where the agent is a program to talk to')
      .action(async (worker: string, options: AttachOptions) => attach(context, worker, options));
  },
};

/** What is opened, and where. */
interface Opening {
  readonly place: Place;
  readonly run: RunState;
  readonly worker: WorkerState;
  readonly tree: string;
  readonly program: string;
}

async function attach(context: CliContext, id: string, options: AttachOptions): Promise<void> {
  if (await insideAttempt(context, 'attach')) return;
  const opening = await find(context, id, options);
  if (opening === null || !(await hold(context, opening))) return;
  const { tree, program } = opening;
  // What was being merged may have been merged instead.
  if (!existsSync(tree)) return noTree(context, id, 'any more');
  context.out.note(`${program} in ${tree}`);
  const ended = await runOnTerminal({
    argv: [program],
    cwd: tree,
    env: withoutCzar(context.env),
    stdout: context.options.json ? 2 : 1,
  });
  if ('problem' in ended) {
    return context.fail({
      exit: exits.refused,
      what: `${program} could not be started: ${ended.problem}`,
      where: tree,
      next: `czar resume ${id} lets it go on`,
    });
  }
  await settle(context, id, ended.told ? 'leave' : (options.then ?? (await asked(context, id))));
  if (ended.told) context.exit(exits.interrupted);
}

/** Null when it cannot be opened, which has been said; nothing has changed then. */
async function find(
  context: CliContext,
  id: string,
  options: AttachOptions,
): Promise<Opening | null> {
  let opening: Opening | null = null;
  await readingWorker(context, id, ({ place, run, worker }) => {
    const tree = worker.worktree === null ? null : resolve(place.root, worker.worktree);
    if (tree === null || !existsSync(tree))
      return noTree(context, id, tree === null ? 'yet' : 'any more');
    if (worker.state === 'complete' || worker.state === 'skipped') {
      return context.fail({
        exit: exits.refused,
        what: `${id} is ${worker.state}: nothing goes on in its tree`,
        next: `czar diff ${id} shows what it changed`,
      });
    }
    if (isLive(worker.state) && holderOf(place) === null) {
      return context.fail({
        exit: exits.refused,
        what: `the agent of ${id} runs, and no czar is there that could stop it`,
        next: 'czar daemon start, then attach again',
      });
    }
    const command = agentOf(run, id)?.command;
    const agent = options.shell === true ? null : (command?.[0] ?? null);
    const found = programFor({ agent, env: context.env, cwd: place.root });
    if ('missing' in found) {
      return context.fail({
        exit: exits.refused,
        what: found.missing,
        next: 'set SHELL to a program that exists',
      });
    }
    opening = { place, run, worker, tree, program: found.path };
  });
  return opening;
}

function noTree(context: CliContext, id: string, since: 'yet' | 'any more'): void {
  const what = `${id} has no working tree ${since}`;
  context.fail({ exit: exits.refused, what, next: `czar why ${id}` });
}

/** Waits until nothing of the worker runs; false when that did not come about, which has been said. */
async function hold(context: CliContext, { place, run, worker }: Opening): Promise<boolean> {
  if (worker.state === 'paused' || isFinal(worker.state)) return true;
  const pause = { kind: 'pause', run: run.id, worker: worker.id } as const;
  if (!(await steer(context, () => pause, null))) return false;
  let held = false;
  using end = streamEnd(context);
  await reading(context, async (reader) => {
    let seen = performance.now();
    for await (const _ of reader.changes(end.signal)) {
      const now = reader.loadCurrent(run.id).runs.get(run.id)?.workers.get(worker.id);
      held = now !== undefined && (now.state === 'paused' || isFinal(now.state));
      if (held) return;
      if (holderOf(place) !== null) seen = performance.now();
      if (performance.now() - seen > patienceMs) break;
    }
    if (end.signal.aborted) return;
    context.fail({
      exit: exits.refused,
      what: `${worker.id} is being paused, and the czar that was to do it is gone`,
      next: 'czar daemon start, then attach again',
    });
  });
  return held;
}

/** What the person at the terminal wants; without one nothing is decided. */
async function asked(context: CliContext, id: string): Promise<Ending> {
  if (!context.canAsk) return 'leave';
  const typed = await context.choose(
    `Submit what is in the tree of ${id}, resume its agent, or leave it as it is?`,
    endings,
  );
  return endings.find((one) => one === typed) ?? 'leave';
}

async function settle(context: CliContext, id: string, ending: Ending): Promise<void> {
  switch (ending) {
    case 'submit':
      await steer(
        context,
        (run) => ({ kind: 'submit', run, worker: id }),
        `${id} goes on to its gates.`,
      );
      return;
    case 'resume':
      await steer(
        context,
        (run) => ({ kind: 'resume', run, worker: id }),
        `${id} goes on in its tree.`,
      );
      return;
    case 'leave': {
      const done = `${id} is left as it is.`;
      const next = `czar resume ${id} lets it go on; czar submit ${id} makes its tree the work`;
      if (context.options.json) return context.out.json({ v: 1, ok: true, done, next });
      context.out.line(done);
      context.out.note(next);
    }
  }
}

/** The user's environment without what czar tells its attempts: a czar that is typed in there is a person's. */
function withoutCzar(env: CliContext['env']): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('CZAR_')));
}
