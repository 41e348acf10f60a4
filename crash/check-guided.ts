/** What a user was asked in a guided plan: no launch without its approval, no work beyond a budget, one amendment. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { deathsOf } from './census.ts';
import type { Evidence } from './evidence.ts';
import type { LogEvent } from './log.ts';

/** Findings about a plan that a daemon led; none for others. */
export function checkGuided(
  { scratch, agentsKilled }: Evidence,
  events: readonly LogEvent[],
): readonly string[] {
  const { guided } = scratch.plan;
  if (guided === undefined) return [];
  const findings: string[] = [];
  for (const code of deathsOf(scratch.repo))
    if (code !== 137) findings.push(`a daemon died with exit code ${code}`);
  if (existsSync(join(scratch.repo, '.git/czar/guardian-gave-up')))
    findings.push('left: a guardian gave up');
  const amended = events.filter(({ type }) => type === 'plan.amended');
  if (amended.length !== 1) findings.push(`the plan was amended ${amended.length} times`);
  for (const worker of guided.approved) findings.push(...checkApproved(worker, events));
  if (!agentsKilled)
    for (const worker of guided.budgeted) findings.push(...checkBudget(worker, events));
  return findings;
}

/** Each start has an approval before it that no other start had. */
function checkApproved(worker: string, events: readonly LogEvent[]): readonly string[] {
  const findings: string[] = [];
  let open = false;
  for (const { type, seq } of events.filter((event) => event.worker === worker)) {
    if (type === 'approval.granted') open = true;
    else if (type === 'approval.denied') open = false;
    else if (type === 'worker.started') {
      if (!open) findings.push(`event ${seq} starts ${worker} without an approval`);
      open = false;
    }
  }
  return findings;
}

/** It is stopped when its budget is used up, and starts again only when more was added. */
function checkBudget(worker: string, events: readonly LogEvent[]): readonly string[] {
  const findings: string[] = [];
  let isUsedUp = false;
  const met = new Set<string>();
  for (const { type, seq } of events.filter((event) => event.worker === worker)) {
    met.add(type);
    if (type === 'budget.exceeded') isUsedUp = true;
    else if (type === 'budget.raised') isUsedUp = false;
    else if (type === 'worker.started' && isUsedUp)
      findings.push(`event ${seq} starts ${worker}, whose budget is used up`);
  }
  for (const type of ['budget.exceeded', 'worker.stop_requested', 'budget.raised'])
    if (!met.has(type)) findings.push(`${worker} has no ${type}`);
  return findings;
}
