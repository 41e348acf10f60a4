/**
 * S4 and S6, from the plan alone: what each merge must have passed is worked out here from the plan files that were
 * written, and the merge itself is made once more by git.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogEvent } from './log.ts';
import type { PlannedWorker } from './plans.ts';
import { git, linesOf, type Scratch } from './scratch.ts';

/** Findings about every merge of the log. */
export function checkMerges(scratch: Scratch, events: readonly LogEvent[]): readonly string[] {
  const findings: string[] = [];
  const done: PlannedWorker[] = [];
  let previous =
    events
      .find(({ type }) => type === 'run.started')
      ?.data.at('base')
      .text('commit') ?? '';
  const moves = ['worker.merged', 'run.synced'];
  for (const event of events.filter(({ type }) => moves.includes(type))) {
    if (event.type === 'run.synced') {
      findings.push(...checkSync(scratch, event, previous));
      previous = event.data.text('commit');
      continue;
    }
    const worker = scratch.plan.workers.find(({ id }) => id === event.worker);
    if (worker === undefined) {
      findings.push(`${event.worker} was merged and is in no plan`);
      continue;
    }
    if (done.includes(worker)) findings.push(`${worker.id} was merged twice`);
    if (!worker.merges) findings.push(`${worker.id} was merged`);
    findings.push(...checkMerge(scratch, event, previous));
    findings.push(...checkGates(scratch, events, { event, worker, before: done }));
    done.push(worker);
    previous = event.data.text('commit');
  }
  for (const worker of scratch.plan.workers)
    if (worker.merges && !done.includes(worker)) findings.push(`${worker.id} was never merged`);
  return findings;
}

/** The commit merges the tip into what was merged before it, and its tree is what git makes of the two. */
function checkMerge(
  scratch: Scratch,
  { worker, data }: LogEvent,
  previous: string,
): readonly string[] {
  const commit = data.text('commit');
  const tip = data.text('tip');
  const findings: string[] = [];
  const shape = git(scratch, scratch.repo, 'log', '-1', '--format=%T %P', commit);
  if (shape !== `${data.text('tree')} ${previous} ${tip}`)
    findings.push(
      `S5: ${commit} of ${worker} is ${shape}, not ${data.text('tree')} on ${previous} with ${tip}`,
    );
  if (data.text('base') !== previous)
    findings.push(`S5: ${worker} says it was merged on ${data.text('base')}`);
  const again = git(scratch, scratch.repo, 'merge-tree', '--write-tree', previous, tip);
  if (again !== data.text('tree'))
    findings.push(`S6: ${worker} merges to ${again}, not to ${data.text('tree')}`);
  return findings;
}

/** What the user committed was merged into what was merged before, and its tree is what git makes of the two. */
function checkSync(scratch: Scratch, { data }: LogEvent, previous: string): readonly string[] {
  const commit = data.text('commit');
  const tip = git(scratch, scratch.repo, 'rev-parse', data.text('tip'));
  const tree = git(scratch, scratch.repo, 'merge-tree', '--write-tree', previous, tip);
  const shape = git(scratch, scratch.repo, 'log', '-1', '--format=%T %P', commit);
  if (shape === `${tree} ${previous} ${tip}` && data.text('base') === previous) return [];
  return [`S5: ${commit} is ${shape}, and brings ${tip} into ${previous} as ${tree}`];
}

interface Merge {
  readonly event: LogEvent;
  readonly worker: PlannedWorker;
  readonly before: readonly PlannedWorker[];
}

/** S4: a pass of every required command on exactly that tree, before the merge, and a check that really ran on it. */
function checkGates(
  scratch: Scratch,
  events: readonly LogEvent[],
  merge: Merge,
): readonly string[] {
  const { event, worker, before } = merge;
  const { plan, repo } = scratch;
  const findings: string[] = [];
  const passes = events.filter(({ type, seq }) => type === 'gate.passed' && seq < event.seq);
  const verdicts = passes.map(({ data }) => data.at('verdict'));
  const ran = new Set(sideLines(scratch, 'checks'));
  const require = (command: string, tree: string, what: string): void => {
    const passed = verdicts.some(
      (verdict) =>
        verdict.text('command') === command &&
        verdict.text('tree') === tree &&
        verdict.text('result') === 'pass' &&
        verdict.texts('setup').join('\n') === plan.setup.join('\n'),
    );
    if (!passed)
      findings.push(
        `S4: ${worker.id} was merged without a pass of ${command} on its ${what} ${tree}`,
      );
    const name = /check\.sh" (\S+)/.exec(command)?.[1];
    if (name !== undefined && !ran.has(`${name} ${tree}`))
      findings.push(`S4: ${name} never passed on the ${what} ${tree} of ${worker.id}`);
  };
  const batch = testedInstead(scratch, event);
  findings.push(...batch.findings);
  const { tree } = batch;
  const tip = event.data.text('tip');
  const branch = git(scratch, repo, 'rev-parse', `${tip}^{tree}`);
  for (const command of worker.verify) require(command, branch, 'branch');
  const combined = plan.checks.length > 0 ? plan.checks : before.flatMap(({ verify }) => verify);
  for (const command of [...combined, ...worker.verify]) require(command, tree, 'merge');
  for (const gate of ['deliverables', 'handoff', 'ownership', 'protect']) {
    const passed = verdicts.some(
      (verdict) =>
        verdict.text('gate') === gate &&
        verdict.text('tip') === tip &&
        verdict.text('result') === 'pass',
    );
    if (!passed) findings.push(`S4: ${worker.id} was merged without a pass of ${gate} for ${tip}`);
  }
  return findings;
}

/** The tree that was tested for a merge: its own, or in a queue of batches that of a merge which stands on it. */
function testedInstead(
  scratch: Scratch,
  { worker, data }: LogEvent,
): { readonly tree: string; readonly findings: readonly string[] } {
  const commit = data.at('tested').text('commit');
  if (commit === '') return { tree: data.text('tree'), findings: [] };
  const findings: string[] = [];
  if (!scratch.plan.config.includes('merge_queue: batch'))
    findings.push(`S4: ${worker} was merged on a test of ${commit}`);
  const between = ['rev-list', '--first-parent', commit, `^${data.text('base')}`];
  if (!linesOf(git(scratch, scratch.repo, ...between)).includes(data.text('commit')))
    findings.push(`S4: ${commit} was tested and does not stand on ${data.text('commit')}`);
  const tree = git(scratch, scratch.repo, 'rev-parse', `${commit}^{tree}`);
  if (tree !== data.at('tested').text('tree'))
    findings.push(`S4: ${commit} has the tree ${tree}, not ${data.at('tested').text('tree')}`);
  return { tree, findings };
}

function sideLines({ side }: Scratch, name: string): readonly string[] {
  const file = join(side, name);
  return existsSync(file) ? linesOf(readFileSync(file, 'utf8')) : [];
}
