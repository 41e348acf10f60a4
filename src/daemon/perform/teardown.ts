/**
 * Teardown of an attempt: commands of its worker, in its tree, once its work is at home. What fails of them is told and
 * changes nothing else. After a crash all of them run again.
 */
import { join } from 'node:path';
import type { Outcome } from '../../core/commands.ts';
import type { Intent } from '../../core/intents.ts';
import { definitionOf } from '../../core/state.ts';
import { checkMark } from '../../gates/leftovers.ts';
import { judgeFolder } from '../../gates/tree-gates.ts';
import { reach } from '../../git/context.ts';
import { isThere } from '../../git/trees/discard.ts';
import { makeWithinHome } from '../../process/generated-folder.ts';
import { attemptOf, filesOf } from './attempt-end.ts';
import type { EffectContext } from '../loop.ts';
import { stateOf } from './work.ts';
import { redactorOf } from '../redactions.ts';
import { treeOf, type Workplace } from '../workplace.ts';

type Teardown = Extract<Intent, { kind: 'teardown' }>;

/** Runs every command, also after one that failed; null when it was ended before that. */
export async function tearDown(
  place: Workplace,
  intent: Teardown,
  { run, signal }: EffectContext,
): Promise<Outcome | null> {
  const { teardown } = definitionOf(run, intent.worker);
  const tree = treeOf(place, stateOf(run, intent.worker));
  const down = { kind: 'torn-down', ...attemptOf(intent) } as const;
  // The tree was taken away: nothing can run in it.
  if (tree === null || !(await isThere(tree))) return { ...down, failures: [] };
  const { attemptDir } = filesOf(place, intent);
  const { policies } = run.plan;
  const tmp = join(attemptDir, 'teardown-tmp');
  makeWithinHome(place.git.home, tmp);
  await reach(place.git, 'teardown:before-run');
  const outcome = await judgeFolder({
    id: 'teardown',
    tree: '',
    gates: teardown.map((command) => ({
      gate: 'verify',
      command,
      setup: [],
      owner: intent.worker,
    })),
    dir: tree,
    tmp,
    env: place.env,
    mark: checkMark(place.git.state),
    timeoutMs: policies.checkTimeoutMs,
    graceMs: policies.graceMs,
    logs: { dir: attemptDir, home: place.git.home, redact: redactorOf(run.plan, place.env) },
    signal,
  });
  await reach(place.git, 'teardown:after-run');
  if (outcome.kind === 'aborted') return null;
  if (outcome.kind === 'no-tree')
    return { ...down, failures: [{ command: '', findings: [outcome.error] }] };
  const failures = outcome.verdicts
    .filter(({ result }) => result !== 'pass')
    .map(({ command, findings }) => ({ command, findings }));
  return { ...down, failures };
}
