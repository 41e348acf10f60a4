/** Reviews: each is launched and acted on once, says in the log what its reviewer said, and lets merge what it saw. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Evidence } from './evidence.ts';
import type { LogEvent } from './log.ts';
import { linesOf, type Scratch } from './scratch.ts';

/** The ends of a review. */
const ends = ['review.approved', 'review.changes_requested', 'review.inconclusive'];

/** Findings about a plan whose workers are reviewed; none for others. */
export function checkReviews(
  { scratch }: Pick<Evidence, 'scratch'>,
  events: readonly LogEvent[],
): readonly string[] {
  const findings: string[] = [];
  const launched = sideLines(scratch, 'reviews');
  for (const name of new Set(launched)) {
    const times = launched.filter((one) => one === name).length;
    if (times > 1) findings.push(`S1: review ${name} was launched ${times} times`);
  }
  const named = ({ run, worker, data }: LogEvent): string => `${run}/${worker}/${data.text('n')}`;
  const started = new Set(events.filter(({ type }) => type === 'review.started').map(named));
  for (const name of new Set(launched))
    if (!started.has(name)) findings.push(`review ${name} was launched, and is not in the log`);
  const byAgents = events.filter(({ type, data }) => ends.includes(type) && data.text('n') !== '');
  for (const name of new Set([...started, ...byAgents.map(named)])) {
    const times = byAgents.filter((event) => named(event) === name).length;
    if (times !== 1) findings.push(`review ${name} has ${times} ends in the log`);
    if (!started.has(name)) findings.push(`review ${name} has an end and never began`);
  }
  const said = new Set(sideLines(scratch, 'verdicts'));
  for (const event of byAgents) {
    const word = { 'review.approved': 'approve', 'review.changes_requested': 'changes_requested' };
    const told = Object.entries(word).find(([type]) => type === event.type)?.[1];
    if (told !== undefined && !said.has(`${named(event)} ${told}`))
      findings.push(`review ${named(event)} never said ${told}`);
  }
  for (const { id, yaml } of scratch.plan.workers)
    if (yaml.some((line) => line.startsWith('review:')))
      findings.push(
        ...checkReviewed(
          id,
          events.filter(({ worker }) => worker === id),
        ),
      );
  return findings;
}

/** Each request for changes sends the worker back once, and what is merged was approved as it is. */
function checkReviewed(id: string, events: readonly LogEvent[]): readonly string[] {
  const findings: string[] = [];
  const asked = events.filter(({ type }) => type === 'review.changes_requested').length;
  const sent = events.filter(
    ({ type, data }) => type === 'worker.ready' && data.at('rework').text('kind') === 'review',
  ).length;
  if (asked === 0) findings.push(`nobody asked ${id} for changes`);
  if (asked !== sent)
    findings.push(`${id} was asked for changes ${asked} times, sent back ${sent}`);
  for (const merge of events.filter(({ type }) => type === 'worker.merged')) {
    const tip = merge.data.text('tip');
    const last = events.findLast(
      ({ type, seq, data }) =>
        seq < merge.seq &&
        data.text('tip') === tip &&
        (type === 'review.approved' || type === 'review.changes_requested'),
    );
    if (last?.type !== 'review.approved')
      findings.push(`S4: ${id} was merged and nobody approved ${tip}`);
  }
  return findings;
}

/** Each worker with a teardown had it, as often as it takes. */
export function checkTeardowns(scratch: Scratch): readonly string[] {
  const ran = sideLines(scratch, 'checks');
  return scratch.plan.workers.flatMap(({ id, yaml }) => {
    const [, name] = /^teardown: .*check\.sh\\" (\S+)/m.exec(yaml.join('\n')) ?? [];
    const isDone = name === undefined || ran.some((line) => line.startsWith(`${name} `));
    return isDone ? [] : [`${id} was never torn down`];
  });
}

function sideLines({ side }: Scratch, name: string): readonly string[] {
  const file = join(side, name);
  return existsSync(file) ? linesOf(readFileSync(file, 'utf8')) : [];
}
