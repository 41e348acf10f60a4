/**
 * Performs intents: the only step that changes the world. Each effect is idempotent: performed again after a crash, it
 * finds what was done and gives the same outcome. What fails for reasons outside the work throws, and the loop records
 * it; a refusal that belongs to the work is an outcome.
 */
import type { Outcome } from '../core/commands.ts';
import type { Intent } from '../core/intents.ts';
import type { Perform, Performed } from './loop.ts';
import { deliverAnswer } from './perform/answer.ts';
import { setUp, stopAttempt, watch } from './perform/attempt.ts';
import { tearDown } from './perform/teardown.ts';
import { start } from './perform/start.ts';
import { check } from './perform/check.ts';
import { endReview, review } from './perform/review.ts';
import { buildLandingTree, landTree } from './perform/landing.ts';
import { build, commit, prepareRun, pushOut, show } from './perform/merge.ts';
import { prepareWorktree, tendTree } from './perform/tree.ts';
import { checkInputs, collectWork, judge } from './perform/work.ts';
import { redactOutcome, redactPerformed, redactorOf } from './redactions.ts';
import type { Workplace } from './workplace.ts';

/** The performer of a workplace. */
export function performer(place: Workplace): Perform {
  return async (intent, context): Promise<Performed> => {
    const here = { ...place, git: { ...place.git, signal: context.signal } };
    // Nothing that is told of an effect holds a secret: not what it came to, and not why it failed.
    const redact = redactorOf(context.run.plan, place.env);
    const report = (outcome: Outcome): Promise<void> =>
      context.report(redactOutcome(outcome, redact));
    try {
      return redactPerformed(await perform(here, intent, { ...context, report }), redact);
    } catch (error) {
      if (!(error instanceof Error) || redact(error.message) === error.message) throw error;
      throw new Error(redact(error.message));
    }
  };
}

async function perform(
  place: Workplace,
  intent: Intent,
  context: Parameters<Perform>[1],
): Promise<Performed> {
  switch (intent.kind) {
    case 'prepare-run':
      return prepareRun(place, intent);
    case 'check-inputs':
      return checkInputs(place, intent);
    case 'prepare-tree':
      return prepareWorktree(place, intent, context);
    case 'tend-tree':
      return tendTree(place, intent, context);
    case 'setup':
      return setUp(place, intent, context);
    case 'launch':
      return start(place, intent, context);
    case 'watch':
      return watch(place, intent, context);
    case 'answer':
      return deliverAnswer(place, intent);
    case 'stop':
      return stopAttempt(place, intent, context);
    case 'collect':
      return collectWork(place, intent, context);
    case 'teardown':
      return tearDown(place, intent, context);
    case 'judge':
      return judge(place, intent, context);
    case 'review':
      return review(place, intent, context);
    case 'end-review':
      return endReview(place, intent, context);
    case 'check':
      return check(place, intent, context);
    case 'build-merge':
      return build(place, intent, context);
    case 'commit-merge':
      return commit(place, intent);
    case 'publish':
      return show(place, intent);
    case 'push':
      return pushOut(place, intent);
    case 'build-landing':
      return buildLandingTree(place, intent, context);
    case 'commit-landing':
      return landTree(place, intent);
  }
}
