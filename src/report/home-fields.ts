/** What stands on the lines of events of pull requests, kept work and trees that a person sees to. */
import type { EventOf } from '../core/events.ts';

/** A key and its value. */
export type Field = readonly [key: string, value: string | number];

/** The facts of such an event. */
export function homeFields(
  event: EventOf<
    | 'pull.requested'
    | 'pull.opened'
    | 'pull.sent_back'
    | 'pull.closed'
    | 'tree.requested'
    | 'tree.made'
    | 'tree.removed'
    | 'kept.dropped'
  >,
): readonly Field[] {
  switch (event.type) {
    case 'pull.requested':
      return [
        ['target', event.data.target],
        ['branch', event.data.branch],
        ['commit', short(event.data.tip)],
        ['by', event.data.by],
      ];
    case 'pull.opened':
      return [
        ['url', event.data.url],
        ['commit', short(event.data.tip)],
      ];
    case 'pull.sent_back':
      return [
        ['remarks', event.data.remarks.length],
        ['to', [...new Set(event.data.remarks.map(({ worker }) => worker ?? 'nobody'))].join(',')],
      ];
    case 'pull.closed':
      return [
        ['url', event.data.url],
        ['merged', String(event.data.merged)],
      ];
    case 'tree.requested':
      return [
        ['want', event.data.want],
        ['by', event.data.by],
      ];
    case 'tree.made':
    case 'tree.removed':
      return [['worktree', event.data.worktree]];
    case 'kept.dropped':
      return [
        ['ref', event.data.ref],
        ['by', event.data.by],
      ];
  }
}

/** As much of an id as tells it from others. */
export function short(id: string): string {
  return id.slice(0, 10);
}
