/**
 * The independent checker: reads log, git, process table and what agents wrote down, and says what is wrong. Nothing
 * here comes from the product's sources.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkGit } from './check-git.ts';
import { checkGuided } from './check-guided.ts';
import { checkMerges } from './check-merges.ts';
import { checkRemote } from './check-remote.ts';
import { checkReviews, checkTeardowns } from './check-reviews.ts';
import { amendedPrints, differences, fingerprint } from './fingerprint.ts';
import { lastStates, readLog, type LogEvent } from './log.ts';
import { leftOf, lives } from './processes.ts';
import { linesOf, type Scratch } from './scratch.ts';
import type { Evidence } from './evidence.ts';

export interface Verdict {
  /** One sentence each; none when all holds. */
  readonly findings: readonly string[];
  /** Integration tree at the end. */
  readonly tree: string;
}

/** Judges a run that has ended and has not been landed. A repository that git cannot read is a finding too. */
export async function judge(evidence: Evidence): Promise<Verdict> {
  try {
    return await inspect(evidence);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return { findings: [`the checker cannot go on: ${what}`], tree: '' };
  }
}

async function inspect(evidence: Evidence): Promise<Verdict> {
  const { scratch } = evidence;
  const before = new Map([...evidence.before, ...amendedPrints(scratch.plan)]);
  const findings: string[] = [];
  const left = await leftOf(scratch.base, evidence.agentsKilled ? 25_000 : 3_000);
  for (const { pid, command } of left) findings.push(`orphan: process ${pid} is left: ${command}`);
  const log = readLog(scratch.repo);
  if (log === null) return { findings: [...findings, 'there is no log'], tree: '' };
  findings.push(...log.problems.map((problem) => `log: ${problem}`));
  findings.push(...checkLog(scratch, log.events));
  findings.push(...checkLaunches(evidence, log.events));
  findings.push(...checkEnd(scratch, log.events));
  findings.push(...checkGuided(evidence, log.events));
  findings.push(...checkReviews(evidence, log.events), ...checkTeardowns(scratch));
  findings.push(...checkRemote(scratch, log.events, null));
  const { findings: wrong, tree } = checkGit(scratch, log.events);
  findings.push(...wrong, ...checkMerges(scratch, log.events));
  if (evidence.tree !== null && tree !== evidence.tree)
    findings.push(`the final tree is ${tree}, undisturbed it is ${evidence.tree}`);
  findings.push(
    ...differences(before, fingerprint(scratch)).map(
      (line) => `S13: the checkout changed: ${line}`,
    ),
  );
  findings.push(...leftovers(scratch));
  return { findings, tree };
}

/** Sequence without gaps, a hash for each event, and the derived file that says the same. */
function checkLog(scratch: Scratch, events: readonly LogEvent[]): readonly string[] {
  const findings: string[] = [];
  events.forEach(({ seq }, index) => {
    if (seq !== index + 1) findings.push(`S10: event ${index + 1} of the log has sequence ${seq}`);
  });
  const hashes = new Set(events.map((event) => event.hash));
  if (hashes.size !== events.length) findings.push('S10: two events have the same hash');
  if (events.some(({ hash }) => !/^[0-9a-f]{64}$/.test(hash)))
    findings.push('S10: an event has no hash');
  const derived = linesOf(readSide(join(scratch.repo, '.czar/logs/events.jsonl')));
  const said = derived.map((line) => /"type":\s*"([^"]+)"/.exec(line)?.[1] ?? '?');
  const logged = events.map(({ type }) => type);
  if (said.join('\n') !== logged.join('\n'))
    findings.push(
      `events.jsonl has ${said.length} lines that are not the ${logged.length} events of the log`,
    );
  return findings;
}

/** S1, and that the log knows of each launch and of how it ended. */
function checkLaunches(evidence: Evidence, events: readonly LogEvent[]): readonly string[] {
  const { scratch, agentsKilled } = evidence;
  const findings: string[] = [];
  const side = (name: string): readonly string[] => linesOf(readSide(join(scratch.side, name)));
  for (const line of side('doubles')) findings.push(`S1: two live attempts of one worker: ${line}`);
  const launches = side('launches').map((line) => line.split(' ')[0] ?? '');
  for (const name of new Set(launches)) {
    const times = launches.filter((one) => one === name).length;
    if (times > 1) findings.push(`S1: ${name} was launched ${times} times`);
  }
  const exits = new Map(
    side('exits').map((line) => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? '']),
  );
  const named = ({ run, worker, attempt }: LogEvent): string => `${run}/${worker}/${attempt}`;
  const active = new Set(events.filter(({ type }) => type === 'worker.active').map(named));
  const stops = new Set(
    events
      .filter(({ type, data }) => type === 'worker.stop_requested' && data.text('by') === 'policy')
      .map((event) => workerOf(named(event))),
  );
  const ends = new Map(
    events
      .filter(({ type }) => type === 'attempt.ended')
      .map((event) => [named(event), event.data.at('end')]),
  );
  const count = events.filter(({ type }) => type === 'attempt.ended').length;
  if (count !== ends.size) findings.push('an attempt ended twice in the log');
  for (const name of new Set(launches)) {
    const end = ends.get(name);
    if (end === undefined)
      findings.push(`ghost: ${name} was launched, and the log knows no end of it`);
    else if (!active.has(name))
      findings.push(`${name} was launched, and was never active in the log`);
    else if (end.text('how') === 'exited') {
      if (end.text('code') !== exits.get(name))
        findings.push(
          `${name} ended with ${exits.get(name) ?? 'no exit'}, the log says ${end.text('code')}`,
        );
    } else if (end.text('how') === 'stopped' && stops.has(workerOf(name))) continue;
    else if (!agentsKilled)
      findings.push(`${name} ended, the log says ${end.text('how')}: ${end.text('why')}`);
  }
  if (!agentsKilled)
    for (const name of active)
      if (!launches.includes(name)) findings.push(`${name} is active in the log and never ran`);
  return findings;
}

/** `run/worker` of `run/worker/attempt`. */
function workerOf(attempt: string): string {
  return attempt.slice(0, attempt.lastIndexOf('/'));
}

/** No worker and no process is shown as living, and each worker ended where the plan leads. */
function checkEnd(scratch: Scratch, events: readonly LogEvent[]): readonly string[] {
  const findings: string[] = [];
  const last = lastStates(events);
  const runs = new Set(events.map(({ run }) => run).filter((run) => run !== ''));
  if (runs.size !== 1) findings.push(`the log has ${runs.size} runs`);
  for (const run of runs) {
    const end = events.findLast(
      (event) => event.run === run && event.type.startsWith('run.') && event.type !== 'run.landed',
    );
    if (end?.type !== 'run.complete') findings.push(`run ${run} ended as ${end?.type}`);
    for (const { id, merges } of scratch.plan.workers) {
      const type = last.get(`${run} ${id}`)?.type;
      if (type !== 'worker.complete' && !(type === 'worker.skipped' && !merges))
        findings.push(`ghost: ${id} ended as ${type}`);
    }
  }
  for (const { type, worker, data } of events) {
    const at = type === 'worker.active' ? data.at('process') : null;
    if (at !== null && lives(Number(at.text('pid')), at.text('start')))
      findings.push(`ghost: process ${at.text('pid')} of ${worker} still lives`);
  }
  if (events.at(-1)?.type !== 'loop.ended')
    findings.push(`the last event is ${events.at(-1)?.type}`);
  return findings;
}

/**
 * Objects that a git which was killed had not finished in the user's repository. Whose they are cannot be told there, so
 * they are left to the user's `git gc`, which removes them by their age.
 */
const unfinished = /^objects\/tmp_objdir-/;

/** L6: nothing half made, no lock and no check tree is left. */
function leftovers({ repo, base }: Scratch): readonly string[] {
  const findings: string[] = [];
  for (const folder of ['.git', '.czar'])
    for (const name of readdirSync(join(repo, folder), { recursive: true, encoding: 'utf8' })) {
      if (name.startsWith('worktrees/') && name.split('/').length > 3) continue;
      if (folder === '.git' && unfinished.test(name)) continue;
      if (/\.lock$|(^|\/)(\.making-|tmp_|incoming-)|\.git\/.*\.tmp/.test(name))
        findings.push(`left: ${folder}/${name}`);
    }
  const trash = join(repo, '.czar/worktrees/.trash');
  if (existsSync(trash))
    for (const name of readdirSync(trash)) findings.push(`left: trash ${name}`);
  const checks = join(base, 'cache/czar/checks');
  if (existsSync(checks))
    for (const name of readdirSync(checks)) findings.push(`left: check tree ${name}`);
  for (const name of readdirSync(join(base, 'rt'), { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.sock')) findings.push(`left: socket ${name}`);
  return findings;
}

function readSide(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
