/** What a person is told of branches that did not reach the remote. */
import { oneLine } from './cells.ts';

/** One branch that the remote has not as it stands here. */
export interface NotPushed {
  /** Full name. */
  readonly ref: string;
  readonly reason: string;
  readonly next: string;
}

/** So many branches are named. */
const most = 10;

/** The branches (full names) with the reasons, each with what helps. */
export function notPushed(left: Readonly<Record<string, string>>): readonly NotPushed[] {
  return Object.entries(left).map(([ref, reason]) => ({ ref, reason, next: nextFor(ref, reason) }));
}

/** Two lines for each branch; none for no branches. */
export function notPushedLines(left: Readonly<Record<string, string>>): readonly string[] {
  const all = notPushed(left);
  const rest = all.length - most;
  return [
    ...all
      .slice(0, most)
      .flatMap(({ ref, reason, next }) => [
        `not pushed: ${shortName(ref)}: ${oneLine(reason)}`,
        `    next: ${next}`,
      ]),
    ...(rest > 0 ? [`not pushed: ${rest} more; czar report closeout names them`] : []),
  ];
}

/** The same in one line, and what helps; none for no branches. */
export function notPushedSummary(left: Readonly<Record<string, string>>): readonly string[] {
  const named = Object.entries(left).map(([ref, why]) => `${shortName(ref)}: ${oneLine(why)}`);
  if (named.length === 0) return [];
  const rest = named.length - most;
  const more = rest > 0 ? `; ${rest} more` : '';
  return [
    `not pushed to origin: ${named.slice(0, most).join('; ')}${more}`,
    '    the work is safe here; czar land tries it again',
  ];
}

/** Where others pushed meanwhile, another try comes to the same until theirs is merged. */
function nextFor(ref: string, reason: string): string {
  const name = shortName(ref);
  return /fetch first|non-fast-forward/.test(reason)
    ? `git switch ${name} && git pull --no-rebase origin ${name} && git push origin ${name}`
    : `settle that, then czar land pushes it again (or git push origin ${name})`;
}

function shortName(ref: string): string {
  return ref.replace('refs/heads/', '');
}
