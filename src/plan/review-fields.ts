/** `review`: who must approve a worker's change before it is merged. */
import * as z from 'zod';
import type { Review, WorkerDefinition } from '../core/plan.ts';
import type { Config } from './config-file.ts';
import { report, type Problems } from './diagnostics.ts';
import type { WorkerDraft } from './draft.ts';
import { count } from './fields.ts';

const name = z
  .string()
  .regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, 'expected agent, human, or the name of an agent')
  .max(64, 'more than 64 characters');

/** `agent`, `human`, an agent's name, or several of them. */
const reviewers = z.union([name, z.array(name).min(1).max(20)]);

export const reviewSchema = z.union(
  [
    z.enum(['none', 'agent', 'human']),
    z.strictObject({ by: reviewers, quorum: count(1, 20).optional() }),
  ],
  {
    error: (issue) =>
      issue.code === 'invalid_union'
        ? 'expected none, agent, human, or {by: …, quorum: …}'
        : undefined,
  },
);

export type ReviewFields = z.infer<typeof reviewSchema>;

/** Who reviews, with `agent` for the agent that usually does; null for nobody. */
function reviewOf(fields: ReviewFields | undefined, usual: string): Review | null {
  if (fields === undefined || fields === 'none') return null;
  const { by, quorum } = typeof fields === 'string' ? { by: fields, quorum: undefined } : fields;
  const named = typeof by === 'string' ? [by] : by;
  const person = named.includes('human');
  const agents = named.filter((one) => one !== 'human');
  // Of one agent several reviews can be asked for: each is a process of its own.
  const wanted =
    agents.length === 1 ? Math.max(1, (quorum ?? 1) - (person ? 1 : 0)) : agents.length;
  const all = agents.length === 1 ? Array.from({ length: wanted }, () => agents[0] ?? '') : agents;
  return {
    agents: all.map((one) => (one === 'agent' ? usual : one)),
    person,
    quorum: quorum ?? all.length + (person ? 1 : 0),
  };
}

/** The field of a definition. Nobody reviews a folder without a repository: there is no change to look at. */
export function reviewField(
  fields: WorkerDraft['fields'],
  { review, agents }: Pick<Config, 'review' | 'agents'>,
): Pick<WorkerDefinition, 'review'> {
  if (fields.workspace === 'empty') return {};
  const reviewer = agents.preferences['reviewer'] ?? agents.default.name;
  const found = reviewOf(fields.review ?? review, reviewer);
  return found === null ? {} : { review: found };
}

/** Refuses a review that cannot be, or cannot come to its end. */
export function checkReview(
  { fields, ...draft }: WorkerDraft,
  usual: string,
  problems: Problems,
): void {
  const review = reviewOf(fields.review, usual);
  if (review === null) return;
  const most = review.agents.length + (review.person ? 1 : 0);
  if (fields.workspace === 'empty') {
    report(problems, draft.valueAt('review'), {
      message: 'review: there is no change to review with an empty workspace',
      hint: 'review: none',
    });
  } else if (review.quorum > most) {
    const alone = review.person && review.agents.length === 0;
    const who = alone ? 'one person counts once' : `there are ${most} reviewers`;
    report(problems, draft.valueAt('review'), {
      message: `review: ${review.quorum} approvals cannot come: ${who}`,
      hint: 'lower the quorum, or name more reviewers',
    });
  }
}
