/** `czar worktree list|merge|cleanup`: the working trees of workers, and bringing home what one of them holds. */
import type { WorkerState } from '../../core/state.ts';
import { openLogState } from '../../daemon/hold-log.ts';
import type { Place } from '../../daemon/place.ts';
import { isMerging, workerAt, worktreesOf } from '../../daemon/views/worktrees.ts';
import { complete } from '../../daemon/steer.ts';
import { exits } from '../exit.ts';
import { openOwnLoop } from '../own-loop.ts';
import { findPlace } from '../find-place.ts';
import { chosenRun, reading } from '../reading.ts';
import { runPlace } from '../run-place.ts';
import { insideAttempt, refuse, steer } from '../steering.ts';
import type { CliContext, Verb } from '../verb.ts';
import { cleanup, type CleanupOptions } from './worktree-cleanup.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .command('list')
      .description('where they are, and who works in them')
      .action(async () => list(context));
    command
      .command('merge')
      .description(
        'takes a tree as it stands for the work, judges it and merges it into integration',
      )
      .argument('<tree>', 'a worker, or the path of its tree')
      .action(async (name: string) => merge(context, name));
    command
      .command('cleanup')
      .description(
        'removes the trees of workers that are done, and the branches that czar made for them; what is neither merged nor kept stays',
      )
      .argument('[tree...]', 'workers, or paths of their trees; all that are done when left out')
      .option('--stale <time>', 'only those that have been done for so long, such as 24h')
      .option(
        '--force',
        'also what is neither merged nor kept, or not done: it is kept first (czar kept list)',
      )
      .action(async (names: string[], options: CleanupOptions) => cleanup(context, names, options));
  },
};

async function list(context: CliContext): Promise<void> {
  await reading(context, (reader, place) => {
    const { out } = context;
    const run = chosenRun(context, reader.loadCurrent(context.options.run));
    if (run === null) return;
    const document = worktreesOf(place, [run]);
    if (context.options.json) return out.json(document);
    if (document.worktrees.length === 0) return out.line('There are no working trees yet.');
    out.table(
      document.worktrees.map((one) => [
        one.path,
        one.branch ?? '',
        one.worker,
        one.state,
        one.live ? one.agent : '',
        !one.there
          ? 'not there'
          : one.branch === null
            ? 'no branch'
            : one.merged
              ? 'merged'
              : 'not merged',
      ]),
    );
  });
}

async function merge(context: CliContext, name: string): Promise<void> {
  if (await insideAttempt(context, 'worktree merge')) return;
  const place = findPlace(context);
  if (place === null) return;
  const state = openLogState(place);
  const run = state === null ? null : chosenRun(context, state);
  if (state === null)
    return context.fail({ exit: exits.nothing, what: 'there is no run in this repository' });
  if (run === null) return;
  const there = runPlace(context, place, run);
  if (there === null) return;
  const worker = workerAt(there, { run, name, cwd: context.cwd });
  if (worker === null) {
    return context.fail({
      exit: exits.nothing,
      what: `run ${run.id} has no worker ${JSON.stringify(name)}, and none with a tree there`,
      next: 'czar worktree list',
    });
  }
  if (worker.state === 'complete') return report(context, run.id, worker);
  await here(context, there, { run: run.id, worker: worker.id });
}

/** What is said when the gates of a tree begin. */
const judged = {
  branch: 'the gates run on its branch',
  merge: 'the gates run on the combined tree',
  land: 'the gates run on the tree that lands',
} as const;

/** Judges and merges with a loop of its own; one that lives is asked, and goes on by itself. */
async function here(
  context: CliContext,
  place: Place,
  of: { readonly run: string; readonly worker: string },
): Promise<void> {
  const opened = await openOwnLoop(context, place, {
    verb: 'worktree merge',
    only: isMerging(of.run),
    onCommit: (batch) => {
      for (const event of batch)
        if (event.type === 'gate.started') context.out.note(judged[event.data.subject]);
    },
  });
  if (opened === null) return;
  if ('owner' in opened) {
    const done = `${of.worker} is judged and merged by the czar that runs here.`;
    await steer(context, (run) => ({ kind: 'submit', ...of, run }), done);
    return;
  }
  await using loop = opened;
  const request = await complete(loop.place, loop.loop.state, { kind: 'submit', ...of });
  if ('rejection' in request) return refuse(context, request.rejection);
  const answer = await loop.loop.send({ ...request, by: 'user' });
  if (!answer.ok) return refuse(context, answer.rejection);
  await loop.loop.until((_state, idle) => idle);
  const worker = loop.loop.state.runs.get(of.run)?.workers.get(of.worker);
  if (worker !== undefined) report(context, of.run, worker);
}

function report(context: CliContext, run: string, worker: WorkerState): void {
  const { id, state, merged, block, reason } = worker;
  if (state !== 'complete') {
    return context.fail({
      exit: exits.refused,
      what: `${id} was not merged, it is ${state}: ${block?.text ?? reason}`,
      where: block?.files.join(', ') || null,
      next: `czar gate ${id}`,
    });
  }
  const commit = merged?.commit ?? null;
  if (context.options.json) return context.out.json({ v: 1, run, worker: id, commit });
  context.out.line(
    commit === null ? `${id} had nothing to merge.` : `${id} is merged as ${commit.slice(0, 10)}.`,
  );
}
