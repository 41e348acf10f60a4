/** What happened on the way, told from the events of a run: merges, conflicts, reviews, what was sent back, gates. */
import type { ChangeVerdict, Event, EventOf, EventType, TreeVerdict } from '../core/events.ts';
import { reviewText, type ReviewEvent } from '../core/evolve/review-state.ts';
import type { RunState } from '../core/state.ts';
import type { CloseoutDocument } from './closeout-schema.ts';
import { counted, timestamp } from './figures.ts';
import type { MetricsDocument } from './metrics-schema.ts';

export type CloseoutHistory = Pick<
  CloseoutDocument,
  'merges' | 'conflicts' | 'landings' | 'reviews' | 'reworks' | 'failed_attempts' | 'gates'
>;

/** The types of event that the history is told from, beside reviews. */
const told = [
  'worker.merged',
  'merge.conflict',
  'land.started',
  'run.landed',
  'land.refused',
  'worker.ready',
  'worker.error',
  'gate.passed',
  'gate.failed',
  'gate.inconclusive',
] as const satisfies readonly EventType[];

/** The history of a run. What merges brought is what its figures say. */
export function closeoutHistory(
  run: RunState,
  events: Iterable<Event>,
  metrics: MetricsDocument,
): CloseoutHistory {
  const all: Event[] = [];
  const names: ReadonlySet<string> = new Set(told);
  for (const event of events)
    if (names.has(event.type) || reviewTypes.has(event.type)) all.push(event);
  return {
    merges: mergesOf(all, metrics),
    conflicts: of(all, 'merge.conflict').map(({ worker, at, data }) => ({
      worker: worker ?? '',
      at: timestamp(at),
      files: [...data.files],
      merged_later: (run.workers.get(worker ?? '')?.merged ?? null) !== null,
    })),
    landings: landingsOf(all, run),
    reviews: all.filter(isReview).map((event) => ({
      worker: event.worker ?? '',
      at: timestamp(event.at),
      type: event.type,
      text: [reviewText(event), ...wordsOf(event)].join(': '),
    })),
    reworks: of(all, 'worker.ready').flatMap(({ worker, at, data }) =>
      data.rework === undefined
        ? []
        : [{ worker: worker ?? '', at: timestamp(at), reason: data.rework.text }],
    ),
    failed_attempts: of(all, 'worker.error').map(({ worker, attempt, at, data }) => ({
      worker: worker ?? '',
      attempt: attempt ?? 0,
      at: timestamp(at),
      error: data.error,
    })),
    gates: gatesOf(all),
  };
}

function of<T extends EventType>(events: readonly Event[], type: T): readonly EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type);
}

const reviewTypes: ReadonlySet<string> = new Set<ReviewEvent>([
  'review.started',
  'review.approved',
  'review.changes_requested',
  'review.inconclusive',
]);

function isReview(event: Event): event is EventOf<ReviewEvent> {
  return reviewTypes.has(event.type);
}

/** What a reviewer said of the whole, and how much of single lines. */
function wordsOf(event: EventOf<ReviewEvent>): readonly string[] {
  if (event.type !== 'review.approved' && event.type !== 'review.changes_requested') return [];
  const { text, findings } = event.data;
  const count = findings.length === 0 ? [] : [`(${counted(findings.length, 'finding')})`];
  const words = [...(text === '' ? [] : [text]), ...count].join(' ');
  return words === '' ? [] : [words];
}

function mergesOf(
  events: readonly Event[],
  { workers }: MetricsDocument,
): CloseoutHistory['merges'] {
  const by = new Map(workers.map((worker) => [worker.id, worker]));
  return of(events, 'worker.merged').map(({ worker = '', at, data }) => {
    const { created, modified, deleted } = data.files;
    const files = { created, modified, deleted, total: created + modified + deleted };
    return {
      worker,
      commit: data.commit,
      at: timestamp(at),
      commits: data.commits,
      files: by.get(worker)?.files ?? files,
    };
  });
}

function landingsOf(events: readonly Event[], run: RunState): CloseoutHistory['landings'] {
  let target = run.target ?? '';
  return events.flatMap((event): CloseoutHistory['landings'] => {
    if (event.type === 'land.started' && event.data.sync === undefined) target = event.data.target;
    if (event.type !== 'run.landed' && event.type !== 'land.refused') return [];
    if ('sync' in event.data) return [];
    const at = timestamp(event.at);
    return event.type === 'run.landed'
      ? [{ at, target: event.data.target, commit: event.data.commit, reason: null }]
      : [{ at, target, commit: null, reason: event.data.reason }];
  });
}

/** How often each gate gave which verdict. */
function gatesOf(events: readonly Event[]): CloseoutHistory['gates'] {
  const gates = new Map<string, CloseoutHistory['gates'][number]>();
  const count = (
    type: 'gate.passed' | 'gate.failed' | 'gate.inconclusive',
    result: 'passed' | 'failed' | 'inconclusive',
  ): void => {
    for (const { data } of of(events, type)) {
      const { gate, command } = nameOf(data.verdict);
      const key = JSON.stringify([gate, command]);
      const known = gates.get(key) ?? { gate, command, passed: 0, failed: 0, inconclusive: 0 };
      gates.set(key, { ...known, [result]: known[result] + 1 });
    }
  };
  count('gate.passed', 'passed');
  count('gate.failed', 'failed');
  count('gate.inconclusive', 'inconclusive');
  return [...gates.values()];
}

function nameOf(verdict: ChangeVerdict | TreeVerdict): {
  readonly gate: string;
  readonly command: string | null;
} {
  return { gate: verdict.gate, command: 'command' in verdict ? verdict.command : null };
}
