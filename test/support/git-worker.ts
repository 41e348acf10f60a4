/** A scratch repository with mirror, integration ref and working trees of workers, for tests of `src/git`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { defaultSecretPatterns } from '../../src/git/collecting/capture.ts';
import type { CaptureRules } from '../../src/git/collecting/capture.ts';
import { clone } from '../../src/git/trees/clone.ts';
import { collect } from '../../src/git/collecting/collect.ts';
import type { Collected, CollectOrder } from '../../src/git/collecting/collect.ts';
import { gitContext } from '../../src/git/context.ts';
import type { GitContext } from '../../src/git/context.ts';
import type { Isolation } from '../../src/git/trees/isolation.ts';
import { createIntegration, ensureMirror } from '../../src/git/mirror.ts';
import { integrationRef, listRefs, readRef } from '../../src/git/refs.ts';
import { prepareTree } from '../../src/git/trees/worktree.ts';
import type { PreparedTree, TreeOrder } from '../../src/git/trees/worktree.ts';
import { copyOf, keepTemplate, scratchRepository } from './git-fixture.ts';
import type { Scratch } from './git-fixture.ts';

export const run = '20261121-1';
export const identity = { name: 'Test User', email: 'user@example.org' };

const templates = new Map<string, string>();

function contextOf(scratch: Scratch): GitContext {
  const home = join(scratch.root, '.czar');
  return gitContext({ root: scratch.root, commonDir: scratch.commonDir, home });
}

export interface GitRun {
  readonly scratch: Scratch;
  readonly context: GitContext;
  /** Commit that the run started from. */
  readonly base: string;
  readonly rules: CaptureRules;
  readonly isolation: Isolation;
  /** Starts a call and abandons it at one of its points, as a kill would: nothing after it runs. */
  killedAt(name: string, call: (context: GitContext) => Promise<unknown>): Promise<void>;
  treeOf(worker: string): string;
  prepare(
    worker: string,
    changes?: Partial<TreeOrder>,
    context?: GitContext,
  ): Promise<PreparedTree>;
  collect(
    worker: string,
    changes?: Partial<CollectOrder>,
  ): Promise<Collected & { kind: 'collected' }>;
  integration(): Promise<string>;
  [Symbol.dispose](): void;
}

/** Starts a run on a scratch repository with the given files. */
export async function gitRun(
  files?: Readonly<Record<string, string>>,
  isolation: Isolation = clone,
  objectFormat: 'sha1' | 'sha256' = 'sha1',
): Promise<GitRun> {
  const key = `run ${objectFormat} ${JSON.stringify(files)}`;
  let template = templates.get(key);
  if (template === undefined) {
    const first = scratchRepository({
      objectFormat,
      ...(files === undefined ? {} : { files }),
    });
    const made = await ensureMirror(contextOf(first));
    assert.equal(made.kind, 'ready', JSON.stringify(made));
    await createIntegration(contextOf(first), { run, base: first.git('rev-parse', 'HEAD') });
    template = first.dir;
    templates.set(key, template);
    keepTemplate(key, template);
  }
  const scratch = copyOf(template);
  const context = contextOf(scratch);
  const base = scratch.git('rev-parse', 'HEAD');
  const rules: CaptureRules = {
    maxFileBytes: 10_000,
    carried: [],
    secretPatterns: defaultSecretPatterns,
    asideDir: join(scratch.dir, 'aside'),
  };
  const integration = async (): Promise<string> =>
    (await readRef(context, integrationRef(run))) ?? '';
  const treeOf = (worker: string): string => join(scratch.root, '.czar/worktrees', worker);
  return {
    scratch,
    context,
    base,
    rules,
    isolation,
    treeOf,
    integration,
    killedAt: (wanted, call) =>
      new Promise((killed, missed) => {
        const point = (name: string): Promise<void> | undefined => {
          if (name !== wanted) return undefined;
          killed();
          return new Promise(() => undefined);
        };
        const ended = (): void => missed(new Error(`${wanted} was not reached`));
        call({ ...context, point }).then(ended, missed);
      }),
    async prepare(worker, changes = {}, at = context) {
      const order: TreeOrder = {
        isolation,
        run,
        worker,
        attempt: 1,
        branch: `czar/${run}/${worker}`,
        commit: await integration(),
        continues: false,
        dir: treeOf(worker),
        identity,
        origin: null,
        rules,
        now: 1_800_000_000_000,
        ...changes,
      };
      const prepared = await prepareTree(at, order);
      if (prepared.kind !== 'ready') throw new Error(prepared.error);
      return prepared;
    },
    async collect(worker, changes = {}) {
      const tree = changes.tree ?? treeOf(worker);
      const collected = await collect(context, {
        run,
        worker,
        attempt: 1,
        tree,
        repository: isolation.repository(context, tree),
        branch: `czar/${run}/${worker}`,
        base,
        integration: await integration(),
        commitUncommitted: true,
        message: `Work that ${worker} left uncommitted`,
        why: 'the attempt failed',
        identity,
        rules,
        most: { bytes: 1_000_000_000, paths: 1_000 },
        now: 1_800_000_000_000,
        ...changes,
      });
      if (collected.kind === 'failed') throw new Error(collected.error);
      if (collected.kind !== 'collected') throw new Error(JSON.stringify(collected));
      return collected;
    },
    [Symbol.dispose]: () => scratch[Symbol.dispose](),
  };
}

/** A commit in the mirror: its parents, and files that are changed in the first one's tree (null: deleted). */
export function commitOn(
  r: Pick<GitRun, 'scratch' | 'context'>,
  parent: string,
  files: Readonly<Record<string, string | null>>,
  ...more: string[]
): string {
  const env = {
    ...r.scratch.env,
    GIT_INDEX_FILE: join(r.scratch.dir, 'test-index'),
    GIT_AUTHOR_NAME: 'x',
    GIT_AUTHOR_EMAIL: 'x',
    GIT_COMMITTER_NAME: 'x',
    GIT_COMMITTER_EMAIL: 'x',
  };
  const git = (args: readonly string[], input = ''): string => {
    const done = spawnSync('git', args, { cwd: r.context.mirror, env, input, encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    return done.stdout.trim();
  };
  git(['read-tree', parent]);
  const entries = Object.entries(files).map(([path, content]) =>
    content === null
      ? `0 ${'0'.repeat(parent.length)}\t${path}\0`
      : `100644 ${git(['hash-object', '-w', '--stdin'], content)}\t${path}\0`,
  );
  git(['update-index', '-z', '--index-info'], entries.join(''));
  const parents = [parent, ...more].flatMap((each) => ['-p', each]);
  return git(['commit-tree', git(['write-tree']), ...parents], 'work');
}

/** A run with a prepared tree of worker `one`, and git in it. */
export async function working(
  files?: Readonly<Record<string, string>>,
  isolation: Isolation = clone,
): Promise<{
  r: GitRun;
  tree: string;
  git: (...args: string[]) => string;
  mirror: (...args: string[]) => string;
}> {
  const r = await gitRun(files, isolation);
  const { worktree: tree } = await r.prepare('one');
  const git = (...args: string[]): string => r.scratch.gitIn(tree, ...args);
  const mirror = (...args: string[]): string => r.scratch.gitIn(r.context.mirror, ...args);
  return { r, tree, git, mirror };
}

/** Whether every id is reachable from a ref of czar's in the mirror. */
export async function assertHeld(r: GitRun, ids: readonly string[]): Promise<void> {
  const refs = [...(await listRefs(r.context, 'refs/czar/')).values()];
  const reachable = new Set(r.scratch.gitIn(r.context.mirror, 'rev-list', ...refs).split('\n'));
  for (const id of ids) assert.ok(reachable.has(id), `${id} is not held`);
}
