/** What landing would do, without doing it: the merge is tried in the mirror, and no ref of the user's moves. */
import type { RunState } from '../../core/state.ts';
import { landGates, openGates } from '../../core/tree-gates.ts';
import { fallbackIdentity } from '../../git/repository.ts';
import { gitContext } from '../../git/context.ts';
import { difference } from '../../git/facts.ts';
import { buildLanding, landingProblem } from '../../git/landing/land.ts';
import { inUserRepository } from '../../git/context.ts';
import { readRefIn } from '../../git/refs.ts';
import type { LandOrder } from '../land.ts';
import type { Place } from '../place.ts';
import { succeed } from '../perform/succeed.ts';

export type Preview =
  | { readonly kind: 'refused'; readonly reason: string; readonly files: readonly string[] }
  | {
      readonly kind: 'preview';
      readonly target: string;
      readonly mode: string;
      readonly commits: number;
      readonly stat: string;
      /** Workers that are not complete. */
      readonly open: readonly string[];
      /** Commands that judge the tree. */
      readonly gates: number;
      /** Those of them that have no verdict on it yet. */
      readonly gatesOpen: number;
    };

/** Looks at the landing of a run. */
export async function previewLanding(
  place: Place,
  run: RunState,
  order: LandOrder,
): Promise<Preview> {
  const git = gitContext({ root: place.root, commonDir: place.commonDir, home: place.home.path });
  if (run.tip === null || run.mergedOrder.length === 0)
    return { kind: 'refused', reason: 'the run has merged nothing yet', files: [] };
  const open = [...run.workers.values()]
    .filter((one) => one.state !== 'complete' && one.state !== 'skipped')
    .map((one) => one.id);
  if (open.length > 0 && !order.partial) {
    const reason = `the run is not complete: ${open.join(', ')}; --partial takes what has been merged`;
    return { kind: 'refused', reason, files: [] };
  }
  const onto = await readRefIn(inUserRepository(git), `refs/heads/${order.target}`);
  if (onto === null)
    return { kind: 'refused', reason: `there is no branch ${order.target}`, files: [] };
  const built = succeed(
    await buildLanding(git, {
      ...order,
      onto,
      tip: run.tip,
      date: run.startedAt,
      message: `Land run ${run.id}`,
      identity: fallbackIdentity,
    }),
  );
  if (built.kind === 'refused') return built;
  const problem = succeed(await landingProblem(git, { ...order, onto, commit: built.commit }));
  if (problem.kind === 'refused') return problem;
  const { commits, stat } = succeed(await difference(git, { from: onto, to: run.tip }));
  const gates = landGates(run);
  return {
    kind: 'preview',
    target: order.target,
    mode: order.mode,
    commits,
    stat,
    open,
    gates: gates.length,
    gatesOpen: openGates(run, gates, built.tree).length,
  };
}
