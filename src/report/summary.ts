/** The closing words of a run: what came of it, what failed and what to do about that, where the result is. Pure. */
import { awaitsReviewer, reviewLacksBudget } from '../core/review.ts';
import { budgetLack, lacksBudget } from '../core/budget.ts';
import { awaitsApproval, definitionOf, type RunState, type WorkerState } from '../core/state.ts';
import { leftOutOf } from '../core/left-out.ts';
import { mergedName, publishable, publishTrouble, whyNotOnBranch } from '../core/publish.ts';
import { unread } from '../core/unread.ts';
import { pushTrouble } from '../core/push.ts';
import { nextCommand } from './next-command.ts';
import { notPushedSummary } from './not-pushed.ts';
import { columns, oneLine } from './cells.ts';
import { counted, grouped, spanText } from './figures.ts';
import { membersOf, runTotals, type StatusOptions } from './status.ts';
import { symbols, totalsText } from './status-text.ts';

/** More workers that are complete than these are not listed one by one. */
const mostListed = 200;

/** Lines that close a run, for a terminal of `width` cells. */
export function summaryLines(
  options: Omit<StatusOptions, 'liveness'> & {
    readonly width: number;
  },
): readonly string[] {
  const { run, now, width } = options;
  const workers = membersOf(run);
  const complete = workers.filter(({ state }) => state === 'complete').length;
  const listed =
    complete > mostListed ? workers.filter(({ state }) => state !== 'complete') : workers;
  const unfinished = workers.filter((worker) => needsAttention(run, worker));
  const refused = notPushedSummary(options.refused ?? {});
  return [
    `${oneLine(run.plan.name)}: run ${run.id} ${ending(run)} after ${spanText((run.endedAt ?? now) - run.startedAt)}`,
    '',
    ...columns(
      listed.map((worker) => [
        symbols[worker.state],
        worker.id,
        worker.state,
        worker.startedAt === null ? '' : spanText((worker.completedAt ?? now) - worker.startedAt),
        facts(worker),
      ]),
      { width, flex: 4 },
    ),
    ...(listed === workers
      ? []
      : [`${symbols.complete}  ${grouped(complete)} workers are complete: czar status lists them`]),
    '',
    totalsText(runTotals(workers)),
    ...leftOut(workers),
    ...untold(workers),
    ...unfinished.flatMap((worker) => ['', ...attention(run, worker)]),
    ...shortOfBudget(options, workers),
    '',
    ...(run.state === 'paused' ? ['the run is paused', '    next: czar resume'] : []),
    ...behind(run),
    ...refused,
    ...(refused.length === 0 ? [] : ['']),
    ...result(run, workers),
  ];
}

/** Workers that could start if a budget were raised, with the commands that raise it. */
function shortOfBudget(
  at: Pick<StatusOptions, 'state' | 'run' | 'now'>,
  workers: readonly WorkerState[],
): readonly string[] {
  const { run } = at;
  if (run.state !== 'waiting') return [];
  const short = workers.filter(
    (worker) =>
      reviewLacksBudget(at, worker) ||
      (worker.state === 'ready' && !awaitsApproval(run, worker) && lacksBudget(at, worker)),
  );
  if (short.length === 0) return [];
  const commands = new Set(short.map((worker) => budgetLack(at, worker).command));
  const names = short.map(({ id }) => id);
  const shown = names.length > 5 ? [...names.slice(0, 5), `${names.length - 5} more`] : names;
  return [
    '',
    `${shown.join(', ')} ${names.length === 1 ? 'waits' : 'wait'} for budget`,
    ...[...commands].map((command, index) => `    ${index === 0 ? 'next' : '  or'}: ${command}`),
  ];
}

/** Files that lie aside because they are not committed on an agent's behalf. */
function leftOut(workers: readonly WorkerState[]): readonly string[] {
  const files = workers.flatMap((worker) => leftOutOf(worker.kept));
  if (files.length === 0) return [];
  return [`${counted(files.length, 'file')} left out of git: czar kept list names them`];
}

/** What nobody was told any more. */
function untold(workers: readonly WorkerState[]): readonly string[] {
  return workers.flatMap((worker) =>
    unread(worker).map((text) => `${worker.id} was done before it could be told: ${oneLine(text)}`),
  );
}

/** Branches of the user's repository that could not be brought up to date. */
function behind(run: RunState): readonly string[] {
  const why = publishTrouble(run);
  const unsent = pushTrouble(run);
  const pushes =
    unsent === null
      ? []
      : [
          `not everything could be pushed to origin: ${oneLine(unsent)}`,
          '    nothing is lost; the next czar land tries it again',
          '',
        ];
  if (why === null) return pushes;
  return [
    ...pushes,
    `${counted(publishable(run, false).length, 'ref')} of this run could not be written to your repository: ${oneLine(why)}`,
    '    the work is safe; the next czar run or czar land tries it again',
    '',
  ];
}

function ending(run: RunState): string {
  switch (run.state) {
    case 'complete':
      return 'is complete';
    case 'failed':
      return 'failed';
    case 'cancelled':
      return 'was cancelled';
    case 'waiting':
      return 'waits for you';
    case 'paused':
      return 'is paused';
    case 'running':
      return 'was left running';
  }
}

function facts(worker: WorkerState): string {
  const used = worker.usage.input + worker.usage.output;
  const { mergedFacts } = worker;
  return [
    ...(worker.noChange ? ['nothing to merge'] : []),
    ...(mergedFacts === null
      ? []
      : [counted(mergedFacts.commits, 'commit'), filesText(mergedFacts)]),
    ...(worker.attempts > 1 ? [counted(worker.attempts, 'attempt')] : []),
    ...(used > 0 ? [`${grouped(used)} tokens`] : []),
  ].join(', ');
}

/** `3 files (2 new, 1 deleted)`. */
function filesText(files: NonNullable<WorkerState['mergedFacts']>): string {
  const { created, modified, deleted } = files;
  const kinds = [
    ...(created > 0 ? [`${created} new`] : []),
    ...(deleted > 0 ? [`${deleted} deleted`] : []),
  ].join(', ');
  const total = counted(created + modified + deleted, 'file');
  return kinds === '' ? total : `${total} (${kinds})`;
}

function needsAttention(run: RunState, worker: WorkerState): boolean {
  if (awaitsApproval(run, worker) || awaitsReviewer(run, worker)) return true;
  return worker.state === 'failed' || worker.state === 'blocked' || worker.state === 'paused';
}

function attention(run: RunState, worker: WorkerState): readonly string[] {
  const why = causeOf(worker);
  // What its agent said last is no reason for a review.
  const said = worker.state === 'reviewing' ? [] : (worker.attempt?.lastWords ?? []);
  const findings = (worker.block?.findings ?? said).slice(0, 5);
  const next = worker.blockedBy === null ? nextCommand(run, worker) : null;
  return [
    `${symbols[worker.state]} ${worker.id} ${worker.state}: ${oneLine(why)}`,
    ...findings.flatMap((text) => text.split('\n').slice(0, 10)).map((line) => `    ${line}`),
    ...(worker.kept.length === 0
      ? []
      : [`    kept: ${worker.kept.map((one) => one.ref).join(', ')}`]),
    ...(next === null ? [] : [`    next: ${next}`]),
  ];
}

function causeOf({ state, reason, block, blockedBy }: WorkerState): string {
  if (state === 'ready') return 'waits for a person to approve its launch';
  if (state === 'reviewing') return 'waits for a person to review its change';
  if (state === 'paused') return reason;
  return blockedBy === null ? (block?.text ?? reason) : `${blockedBy} did not succeed`;
}

/** Where the result is; a run that was left goes on before anything of it is brought home. */
function result(run: RunState, workers: readonly WorkerState[]): readonly string[] {
  const goesOn = run.state === 'running' ? ['    next: czar run'] : [];
  const merged = workers.filter((worker) => worker.merged !== null);
  const branched = workers.filter((worker) => definitionOf(run, worker.id).workspace === 'branch');
  if (run.landed !== null) {
    return [`landed on ${run.landed.target} as ${run.landed.commit.slice(0, 10)}`, ...goesOn];
  }
  if (merged.length === 0) {
    const nothing = branched.length === 0 ? [] : [`nothing was merged into ${run.integration}`];
    return [...nothing, ...goesOn];
  }
  const land = run.state === 'complete' ? 'czar land' : 'czar land --partial';
  const moved = whyNotOnBranch(run);
  const landing = `    next: ${land}${run.target === null ? ' --into BRANCH' : ` (into ${run.target})`}`;
  return [
    `${counted(merged.length, 'worker')} merged into ${mergedName(run)}`,
    ...(moved === null
      ? []
      : [`    ${run.integration} is in other hands and is left alone: ${oneLine(moved)}`]),
    `    look: git log --graph ${mergedName(run)}`,
    ...(goesOn.length > 0 ? goesOn : [landing]),
  ];
}
