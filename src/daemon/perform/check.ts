/** Runs tree gates: on a check tree of exactly the commit, or in the folder of a worker without a repository. */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome } from '../../core/commands.ts';
import type { CheckIntent } from '../../core/intents.ts';
import { checkMark } from '../../gates/leftovers.ts';
import { judgeFolder, runChecks, type ChecksOutcome } from '../../gates/tree-gates.ts';
import { checkTree, removeCheckTree } from '../../git/trees/check-tree.ts';
import type { EffectContext } from '../loop.ts';
import { redactorOf } from '../redactions.ts';
import { checkPool, treeOf, type Workplace } from '../workplace.ts';

/** Verdicts of the intent's gates; null when it was aborted, which is no verdict. */
export async function check(
  place: Workplace,
  intent: CheckIntent,
  context: EffectContext,
): Promise<Outcome | null> {
  const { policies } = context.run.plan;
  const { run, worker, subject, commit, tree, gates } = intent;
  const home = place.git.home;
  const redact = redactorOf(context.run.plan, place.env);
  const pool = checkPool(place);
  const common = {
    id: checkId(place, intent),
    tree,
    gates,
    env: place.env,
    mark: checkMark(place.git.state),
    timeoutMs: policies.checkTimeoutMs,
    retries: policies.checkRetries ?? 0,
    quarantine: policies.quarantine ?? [],
    graceMs: policies.graceMs,
    logs: { dir: join(home, 'runs', run, worker ?? '.land', 'checks'), home, redact },
    signal: context.signal,
  };
  const outcome =
    commit === ''
      ? await inFolder(place, context, intent, common)
      : await runChecks({
          ...common,
          cacheDir: place.checks,
          makeTree: async (dir) => {
            const made = await checkTree(place.git, { commit, dir, pool });
            return made.kind === 'ready' ? { ok: true } : { ok: false, error: made.error };
          },
          removeTree: (dir) => removeCheckTree(place.git, { dir, pool }),
        });
  switch (outcome.kind) {
    case 'judged':
      return { kind: 'checked', run, subject, worker, verdicts: outcome.verdicts };
    case 'aborted':
      return null;
    case 'no-tree':
      throw new Error(outcome.error);
  }
}

async function inFolder(
  place: Workplace,
  { run }: EffectContext,
  intent: CheckIntent,
  common: Omit<Parameters<typeof judgeFolder>[0], 'dir' | 'tmp'>,
): Promise<ChecksOutcome> {
  const worker = intent.worker === null ? undefined : run.workers.get(intent.worker);
  const dir = worker === undefined ? null : treeOf(place, worker);
  if (dir === null) return { kind: 'no-tree', error: 'its folder is gone' };
  const tmp = join(common.logs.dir, 'tmp');
  await mkdir(tmp, { recursive: true });
  return judgeFolder({ ...common, dir, tmp });
}

/** Name of the check tree: the same for the same check of the same repository, so that a crash leaves one to reuse. */
function checkId(place: Workplace, intent: CheckIntent): string {
  const hash = createHash('sha256')
    .update(`${place.git.commonDir}\n${intent.key}`)
    .digest('hex')
    .slice(0, 12);
  return `${intent.worker ?? 'land'}-${hash}`;
}
