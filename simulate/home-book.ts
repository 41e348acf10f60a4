/** The checker's reading of how a run comes home: its limits, the target that entered it, what landed, its pull request. */
/* oxlint-disable typescript/switch-exhaustiveness-check -- most events are of something else */
import type { Event } from '../src/core/events.ts';
import type { Policies } from '../src/core/plan.ts';
import type { RunBook } from './books.ts';

/** Applies an event of the run that has to do with its home. */
export function ofHome(run: RunBook, event: Event): void {
  switch (event.type) {
    case 'limits.changed': {
      const { before, after } = event.data;
      const left = Object.entries(run.plan.policies).filter(([key]) => !(key in before));
      // What is left lacks limits alone, and those that it needs come with the change.
      const policies = Object.fromEntries([
        ...left,
        ...Object.entries(after),
      ]) as unknown as Policies;
      run.plan = { ...run.plan, policies };
      run.batches ||= policies.mergeQueue === 'batch';
      break;
    }
    case 'run.synced':
      run.tip = event.data.commit;
      run.landing = null;
      break;
    case 'run.landed':
      run.landed.add(`refs/heads/${event.data.target} ${event.data.commit}`);
      break;
    case 'pull.requested':
      run.pull = {
        ...(run.pull ?? { shown: null, said: new Set(), followUps: new Map() }),
        state: 'asked',
      };
      break;
    case 'pull.opened':
      if (run.pull !== null) Object.assign(run.pull, { state: 'open', shown: event.data.tip });
      break;
    case 'pull.closed':
      if (run.pull !== null) run.pull.state = 'closed';
      break;
    case 'pull.sent_back':
      for (const { id, owner, worker } of event.data.remarks) {
        run.pull?.said.add(id);
        if (worker !== null) run.pull?.followUps.set(worker, owner);
      }
      break;
    default:
  }
}
