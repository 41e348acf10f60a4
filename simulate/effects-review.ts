/** Reviews by agents: a process that looks for a while and says something, or nothing; whoever follows it hears it. */
import type { Outcome } from '../src/core/commands.ts';
import type { ReviewerSaid } from '../src/core/events.ts';
import type { EffectOf } from './effect-context.ts';
import type { World } from './world.ts';

export interface Reviewer {
  readonly key: string;
  alive: boolean;
  said: ReviewerSaid | null;
  readonly watchers: Set<() => void>;
}

export async function review({
  world,
  intent,
  context,
  place,
  owner,
}: EffectOf<'review'>): Promise<Outcome | null> {
  await place('before-spawn');
  const reviewer = reviewerOf(world, intent) ?? begin(world, intent);
  await place('after-spawn');
  const { signal } = context;
  while (reviewer.alive) {
    if (signal.aborted) return null;
    await new Promise<void>((wake) => {
      const woken = (): void => {
        reviewer.watchers.delete(woken);
        signal.removeEventListener('abort', woken);
        if (!owner.dead) wake();
      };
      reviewer.watchers.add(woken);
      signal.addEventListener('abort', woken);
    });
  }
  await place('ended');
  return { kind: 'reviewed', ...of(intent), said: reviewer.said ?? silent, usage: null };
}

export async function endReview({
  world,
  intent,
  place,
}: EffectOf<'end-review'>): Promise<Outcome> {
  await place('before-signal');
  const reviewer = reviewerOf(world, intent);
  if (reviewer !== undefined) end(reviewer, null);
  await place('ended');
  const said = { kind: 'none', reason: 'it was stopped', notBefore: null, counts: false } as const;
  return { kind: 'reviewed', ...of(intent), said, usage: null };
}

const silent: Extract<ReviewerSaid, { kind: 'none' }> = {
  kind: 'none',
  reason: 'it said nothing that is a verdict',
  notBefore: null,
  counts: true,
};

function begin(world: World, intent: EffectOf<'review'>['intent']): Reviewer {
  const { key } = intent;
  const reviewer: Reviewer = { key, alive: true, said: null, watchers: new Set() };
  world.reviewers.set(nameOf(intent), reviewer);
  world.say(`reviews ${key}`);
  const { agent } = world;
  const said = saying(world);
  world.after(10 + agent.below(30_000), () => {
    end(reviewer, said);
  });
  return reviewer;
}

function end(reviewer: Reviewer, said: ReviewerSaid | null): void {
  if (!reviewer.alive) return;
  reviewer.alive = false;
  reviewer.said = said;
  for (const wake of Array.from(reviewer.watchers)) wake();
}

function saying({ agent, calm }: World): ReviewerSaid {
  if (agent.chance(calm ? 0.02 : 0.12)) return silent;
  if (agent.chance(0.05)) return { ...silent, reason: 'no quota', notBefore: 0, counts: false };
  const bad = agent.chance(calm ? 0.1 : 0.3);
  const severity = agent.pick(['critical', 'high', 'medium', 'low'] as const);
  const finding = { severity, file: 'shared.txt', line: 1, text: 'why so?' };
  return {
    kind: 'verdict',
    result: bad && agent.chance(0.8) ? 'changes_requested' : 'approve',
    text: bad ? 'not yet' : '',
    findings: bad ? [finding] : [],
  };
}

function reviewerOf(world: World, intent: Named): Reviewer | undefined {
  return world.reviewers.get(nameOf(intent));
}

type Named = { readonly run: string; readonly worker: string; readonly n: number };

function nameOf({ run, worker, n }: Named): string {
  return `${run}/${worker}/review-${n}`;
}

function of({ run, worker, n }: Named): Named {
  return { run, worker, n };
}
