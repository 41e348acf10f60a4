/**
 * The whole prompt of an attempt. What the plan's author wrote comes first and as it stands; what agents and programs
 * wrote is quoted with its provenance.
 */
import type { Briefing } from './briefing.ts';
import { mending } from './mending.ts';
import { code, inline } from './quote.ts';
import * as section from './sections.ts';

/** The prompt's Markdown. */
export function workerPrompt(briefing: Briefing): string {
  return section.compose(briefing, [
    opening,
    author('Mission', ({ definition }) => definition.mission),
    author('First action', ({ definition }) => definition.firstAction),
    author('Instructions', ({ definition }) => definition.instructions),
    section.tasks,
    section.deliverables,
    section.success,
    section.boundaries,
    section.dependencies,
    section.history,
    mending,
    section.checks,
    section.budget,
    working,
    section.handoff,
    section.reporting,
  ]);
}

/** What an agent is told whose session goes on: it knows the rest, and finds it in the prompt's file. */
export function nextMessage(briefing: Briefing): string {
  return section.compose(briefing, [
    again,
    section.history,
    mending,
    section.tasks,
    section.checks,
    section.budget,
    working,
  ]);
}

const again: section.Section = ({ place }) =>
  `Your session goes on (attempt ${place.attempt}). Your instructions are as they were; they stand in ${code(place.promptFile)}. Before you go on, look at the state of your folder: you may have been interrupted in the middle of something.`;

const opening: section.Section = ({ definition, run, place }) => {
  const role = definition.role === null ? '' : `\n\nYour role: ${definition.role.trim()}`;
  const where =
    place.branch === null
      ? `You work in the folder ${code(place.tree)}, which is no repository.`
      : `You work on branch ${code(place.branch)} in ${code(place.tree)}.`;
  return `# ${definition.id}\n\nYou are the worker **${definition.id}** of run ${run.id}${run.plan.name === '' ? '' : ` of ${inline(run.plan.name)}`}. ${where} Nobody else works there.${role}`;
};

function author(heading: string, text: (briefing: Briefing) => string | null): section.Section {
  return (briefing) => {
    const written = text(briefing)?.trim() ?? '';
    return written === '' ? null : `## ${heading}\n\n${written}`;
  };
}

const working: section.Section = ({ place }) => {
  const lines =
    place.branch === null
      ? ['- Leave your results as files in this folder.']
      : [
          '- Commit your work on this branch, in steps that make sense. What you leave uncommitted when you end well is committed for you.',
          '- Do not push, and do not switch to another branch: czar merges your branch when its checks pass.',
        ];
  lines.push(
    '- Nobody reads along while you work. When something only a person can decide stands in the way, `czar emit ask` or `czar emit blocked`, and end.',
    '- When everything is done, end with exit code 0. Any other exit code counts as a failed attempt.',
  );
  return `## How to work\n\n${lines.join('\n')}`;
};
