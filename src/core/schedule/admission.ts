/** What lets a merge in (S4): verdicts as values, checked once more at the door, whoever built the intent. */
import type { GateName } from '../events.ts';
import type { Admission, MergeMember } from '../intents.ts';

const changeGates: readonly GateName[] = ['deliverables', 'handoff', 'ownership', 'protect'];

/** Why those that enter ahead of a tested merge may not; null when they may. Each stands on the one before. */
export function aheadProblem(
  ahead: readonly MergeMember[],
  first: { readonly base: string },
): string | null {
  let { base } = first;
  for (const member of ahead) {
    if (member.base !== base) return `${member.worker} does not stand on ${base}`;
    const problem = admissionProblem({ change: member.change, trees: [] }, member);
    if (problem !== null) return `${member.worker}: ${problem}`;
    base = member.commit;
  }
  return null;
}

/** Why the verdicts do not let the merge of `tip` with the combined `tree` in; null when they do. */
export function admissionProblem(
  admission: Admission,
  merge: { readonly tip: string; readonly tree: string },
): string | null {
  const { change, trees } = admission;
  const missing = changeGates.find((gate) => !change.some((verdict) => verdict.gate === gate));
  if (missing !== undefined) return `there is no verdict of ${missing}`;
  for (const verdict of change) {
    if (verdict.result !== 'pass') return `${verdict.gate} did not pass`;
    if (verdict.tip !== merge.tip) return `the verdict of ${verdict.gate} is for another tip`;
  }
  for (const verdict of trees) {
    if (verdict.result !== 'pass') return `${verdict.command} did not pass`;
    if (verdict.tree !== merge.tree) return `the verdict of ${verdict.command} is for another tree`;
  }
  return null;
}
