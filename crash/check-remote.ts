/** The remote of a plan that pushes: each branch stands exactly where the log says that it was pushed to. */
import type { LogEvent } from './log.ts';
import { git, linesOf, remoteOf, type Scratch } from './scratch.ts';

/** Findings; `landed` is what the target has landed as, null before that. */
export function checkRemote(
  scratch: Scratch,
  events: readonly LogEvent[],
  landed: string | null,
): readonly string[] {
  if (scratch.plan.hasRemote !== true) return [];
  const findings: string[] = [];
  const base = events
    .find(({ type }) => type === 'run.started')
    ?.data.at('base')
    .text('commit');
  const wanted = new Map([['refs/heads/main', landed ?? base ?? '']]);
  for (const { type, run, worker, data } of events)
    if (type === 'worker.merged') wanted.set(`refs/heads/czar/${run}/${worker}`, data.text('tip'));
  const format = '--format=%(refname) %(objectname)';
  const found = new Map(
    linesOf(git(scratch, remoteOf(scratch), 'for-each-ref', format)).map((line) => {
      const [ref = '', commit = ''] = line.split(' ');
      return [ref, commit];
    }),
  );
  for (const ref of new Set([...wanted.keys(), ...found.keys()]))
    if (found.get(ref) !== wanted.get(ref))
      findings.push(
        `the remote has ${ref} at ${found.get(ref) ?? 'nothing'}, the log at ${wanted.get(ref) ?? 'nothing'}`,
      );
  const pushes = events.filter(({ type }) => type === 'refs.pushed');
  for (const [ref, commit] of wanted) {
    const times = pushes.filter(({ data }) => data.at('refs').text(ref) === commit).length;
    const due = ref === 'refs/heads/main' && landed === null ? 0 : 1;
    if (times !== due) findings.push(`the log has ${times} pushes of ${ref} to ${commit}`);
  }
  return findings;
}
