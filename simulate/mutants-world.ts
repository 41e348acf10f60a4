/** Mutants of the effects and the store. */
import type { Intent } from '../src/core/intents.ts';
import type { Performed, Perform } from '../src/daemon/loop.ts';
import type { Journal } from '../src/journal/journal.ts';
import { folderOf } from './attempts.ts';
import type { Mutant } from './mutant.ts';
import type { Mutation } from './mutation.ts';
import { never, type World } from './world.ts';

type Of<K extends Intent['kind']> = Extract<Intent, { kind: K }>;

/** Another way to perform one kind of intent. */
export function performing<K extends Intent['kind']>(
  kind: K,
  change: (options: {
    readonly intent: Of<K>;
    readonly inner: () => Promise<Performed>;
    readonly again: () => Promise<Performed>;
    readonly world: World;
  }) => Promise<Performed>,
): Mutation {
  const isOf = (intent: Intent): intent is Of<K> => intent.kind === kind;
  return {
    perform:
      (inner, world): Perform =>
      (intent, context) =>
        isOf(intent)
          ? change({
              intent,
              inner: () => inner(intent, context),
              again: () => inner(intent, { ...context, recovering: false }),
              world,
            })
          : inner(intent, context),
  };
}

/** Another store. */
function storing(change: (inner: Journal) => Partial<Journal>): Mutation {
  return {
    journal: (inner) => ({
      append: (batch, state) => inner.append(batch, state),
      read: (query) => inner.read(query),
      load: () => inner.load(),
      head: () => inner.head(),
      close: () => inner.close(),
      ...change(inner),
    }),
  };
}

export const worldMutants: readonly Mutant[] = [
  {
    breaks: 'S1',
    name: 'a launch starts its program twice',
    mutation: performing('launch', async ({ intent, inner, again, world }) => {
      await inner();
      folderOf(world, intent).status = 'none';
      return again();
    }),
  },
  {
    breaks: 'S5',
    name: 'a merge is reported that moved nothing',
    mutation: performing('commit-merge', async ({ intent }) => ({
      kind: 'merge-committed',
      run: intent.run,
      worker: intent.worker,
      commit: intent.commit,
      merged: [...intent.ahead, intent].map(({ worker, commit, tree }) => ({
        worker,
        commit,
        tree,
        files: { created: 0, modified: 0, deleted: 0 },
        commits: 1,
      })),
    })),
  },
  {
    breaks: 'S6',
    name: 'a merge takes the tree of the branch as it is',
    mutation: performing('build-merge', async ({ intent, world }) => {
      const { run, worker, base, tip } = intent;
      const { tree } = world.git.look(tip);
      const commit = world.git.commit(tree, [base, tip], `merge ${intent.date}`);
      return { kind: 'merge-built', run, worker, base, tip, commit, tree };
    }),
  },
  {
    breaks: 'S7',
    name: 'what was collected is held by no ref',
    mutation: performing('collect', async ({ intent, inner, world }) => {
      const outcome = await inner();
      const prefix = `refs/czar/work/${intent.run}/${intent.worker}/`;
      for (const ref of world.git.mirror.keys())
        if (ref.startsWith(prefix)) world.git.mirror.delete(ref);
      return outcome;
    }),
  },
  {
    breaks: 'S8',
    name: 'a tree is thrown away before what it holds is stored',
    mutation: performing('prepare-tree', async ({ intent, inner, world }) => {
      const old = world.treeOf(intent.run, intent.worker);
      if (old !== undefined && !intent.continues && old.attempt !== intent.attempt)
        world.onReplace(old);
      return inner();
    }),
  },
  {
    breaks: 'S10',
    name: 'loading the log forgets when a run began',
    mutation: storing((inner) => ({
      load: () => {
        const state = inner.load();
        for (const [id, run] of state.runs) state.runs.set(id, { ...run, startedAt: 0 });
        return state;
      },
    })),
  },
  {
    breaks: 'S11',
    name: 'a batch is acknowledged and not stored',
    mutation: storing((inner) => ({
      append: (batch, state) => {
        if (!batch.some((event) => event.type === 'run.started')) inner.append(batch, state);
      },
    })),
    or: ['S14'],
  },
  {
    breaks: 'S12',
    name: 'a loop that was taken over goes on writing',
    mutation: storing((inner) => ({
      append: (batch, state) => {
        let epoch = 0;
        for (const event of inner.read({ types: ['loop.started'], newestFirst: true, limit: 1 }))
          if (event.type === 'loop.started') epoch = event.data.epoch;
        const begins = batch.some((event) => event.type === 'loop.started');
        const { seq } = inner.head();
        const next = batch.map((event, index) => ({ ...event, seq: seq + 1 + index }));
        inner.append(next, begins ? state : { ...state, epoch });
      },
    })),
  },
  {
    breaks: 'S19',
    name: 'an agent that cannot be seen counts as lost',
    mutation: performing('watch', async ({ intent }) => ({
      kind: 'attempt-ended',
      run: intent.run,
      worker: intent.worker,
      attempt: intent.attempt,
      end: { how: 'lost', why: 'not seen' },
      judgement: { kind: 'lost', why: 'not seen' },
      lastWords: [],
    })),
  },
  {
    breaks: 'L4',
    name: 'a stop waits for the agent to end by itself',
    mutation: performing('stop', async () => never()),
    or: ['L2', 'L6'],
  },
  {
    breaks: 'L6',
    name: 'a program is left behind when a run is shown',
    mutation: performing('publish', async ({ inner, world }) => {
      const outcome = await inner();
      const ended = [...world.attempts.values()].find((folder) => folder.status === 'exited');
      if (ended !== undefined) ended.alive = true;
      return outcome;
    }),
    or: ['S1', 'S19'],
  },
  {
    breaks: 'A3',
    name: 'an effect is begun a second time while it is under way',
    mutation: performing('build-merge', async ({ inner, again }) => {
      const first = inner();
      const second = again();
      second.catch(() => {});
      return first;
    }),
  },
  {
    breaks: 'A6',
    name: 'a kept ref is used again',
    mutation: performing('collect', async ({ intent, inner, world }) => {
      const outcome = await inner();
      const ref = `refs/czar/kept/${intent.run}/${intent.worker}/1`;
      const tree = world.treeOf(intent.run, intent.worker);
      if (tree !== undefined && world.git.mirror.has(ref)) world.git.move('mirror', ref, tree.head);
      return outcome;
    }),
  },
];
