/** What has to change, for a worker whose work was sent back. The findings themselves stand in its history. */
import { offeredAs } from '../core/isolation.ts';
import { definitionOf, type Rework, type RunState } from '../core/state.ts';
import type { Briefing } from './briefing.ts';
import { code, inline } from './quote.ts';
import type { Section } from './sections.ts';

/** Other workers that one prompt names with their missions. */
const othersNamed = 10;

export const mending: Section = (briefing) => {
  const last = briefing.worker.reworks.at(-1);
  if (last === undefined) return null;
  return last.step === 'merging' ? together(briefing, last) : alone(last);
};

function alone({ kind, text }: Rework): string {
  const what =
    kind === 'nothing_changed'
      ? 'Your last attempt changed nothing, and it ended. When the work is already there, prove it; else do it now.'
      : `Your work was sent back: ${inline(text)}. What was found stands above, word for word. Mend it, and leave what is right as it is.`;
  return `## What has to change\n\n${what}`;
}

function together({ run, worker, place }: Briefing, { kind, text, files }: Rework): string {
  const tip = offeredAs(run);
  const opening =
    kind === 'conflict'
      ? 'Your work and what was merged meanwhile change the same lines.'
      : 'Your work passes by itself, and fails together with what was merged meanwhile.';
  const steps = [
    `- Commit what you have, then merge the integration branch into yours: ${code(`git merge ${tip}`)}. The merge must be part of your branch.`,
    '- Keep what both sides are for. Do not remove lines of the other side unless they are wrong in your sight of the whole, and say so in your handoff: every one that is gone is listed and checked.',
    '- Run the checks below on the result, then end.',
  ];
  const about = files.length === 0 ? [] : [`The files: ${files.map(code).join(', ')}.`];
  const sides = missions(run, worker.id, files, place.branch !== null);
  return [
    '## What has to change',
    // Which files conflict is all that the text would add.
    kind === 'conflict' ? opening : `${opening} ${inline(text)}.`,
    ...about,
    ...sides,
    steps.join('\n'),
  ].join('\n\n');
}

/** What this worker and those merged before it are for, as far as they changed the same files. */
function missions(
  run: RunState,
  id: string,
  files: readonly string[],
  inRepository: boolean,
): readonly string[] {
  if (!inRepository) return [];
  const concerned = new Set(files);
  const others = run.mergedOrder.filter((merged) => {
    const changed = run.workers.get(merged)?.work?.changed ?? [];
    return concerned.size === 0 || changed.some(({ path }) => concerned.has(path));
  });
  const line = (worker: string, whose: string): string => {
    const { mission, role } = definitionOf(run, worker);
    const aim = mission ?? role ?? 'no mission is written';
    return `- ${whose} (${worker}): ${inline(aim)}`;
  };
  const shown = others.slice(-othersNamed);
  if (shown.length === 0) return [];
  return [[line(id, 'yours'), ...shown.map((one) => line(one, 'merged before'))].join('\n')];
}
