/** What a reviewing agent is told: the change, what it was for, what was said of it before, and how to answer. */
import { definitionOf, type RunState } from '../core/state.ts';
import { removedLines } from '../core/resolution.ts';
import { findingLine } from '../core/review.ts';
import { code, inline, quoted } from './quote.ts';

export interface ReviewBriefing {
  readonly run: RunState;
  /** The worker whose change is reviewed. */
  readonly worker: string;
  /** Commits between which the change lies. */
  readonly from: string;
  readonly tip: string;
  /** The change as text; null when it is too long to be given here. */
  readonly diff: string | null;
  /** Table of the files that it changes. */
  readonly files: string;
  /** What the verdict must carry. */
  readonly key: string;
}

/** The prompt's Markdown. */
export function reviewPrompt(briefing: ReviewBriefing): string {
  const parts = [opening, purpose, change, resolution, before, answering].flatMap(
    (part) => part(briefing) ?? [],
  );
  return `${parts.join('\n\n')}\n`;
}

type Part = (briefing: ReviewBriefing) => string | null;

const opening: Part = ({ run, worker }) =>
  `# Review of ${worker}

You review what the worker **${worker}** of run ${run.id} has made. You are not its author, and you change nothing: you read, judge and answer. The folder you are in is a clean checkout of exactly the commit that would be merged; it is thrown away afterwards.`;

const purpose: Part = ({ run, worker }) => {
  const { mission, role, successCriteria, deliverables, owns, instructions, verify } = definitionOf(
    run,
    worker,
  );
  const lines = [
    ...(role === null ? [] : [`- Role: ${inline(role)}`]),
    ...(mission === null ? [] : [`- Mission: ${inline(mission)}`]),
    ...successCriteria.map((one) => `- It must hold: ${inline(one)}`),
    ...(deliverables.length === 0 ? [] : [`- Deliverables: ${deliverables.map(code).join(', ')}`]),
    ...(owns === null ? [] : [`- It may change: ${owns.map(code).join(', ')}`]),
    ...verify.map((command) => `- This command passed on it: ${code(command)}`),
  ];
  const told = instructions.trim();
  const text = told === '' ? [] : [`What the author was told:\n\n${told}`];
  return ['## What it was for', ...(lines.length === 0 ? [] : [lines.join('\n')]), ...text].join(
    '\n\n',
  );
};

const change: Part = ({ diff, files, from, tip, worker }) => {
  const command = code(`git diff ${from} ${tip}`);
  const head = `## The change\n\n${command} shows it.\n\n${quoted({ kind: 'program', what: 'git' }, files)}`;
  return diff === null
    ? `${head}\n\nIt is too long to be given here: read it with that command, file by file.`
    : `${head}\n\n${quoted({ kind: 'agent', worker }, diff)}`;
};

const resolution: Part = ({ run, worker }) => {
  const state = run.workers.get(worker);
  const removed = state === undefined ? [] : removedLines(state);
  if (removed.length === 0) return null;
  const lines = removed.flatMap(({ path, lines: gone, more }) => [
    `- ${code(path)}:`,
    ...gone.map((text) => `  - ${code(text)}`),
    ...(more === 0 ? [] : [`  - and ${more} more`]),
  ]);
  const whose = (state?.resolution?.others ?? []).map(code).join(', ');
  return `## Lines of others that are gone

The author resolved a conflict with what was merged before${whose === '' ? '' : ` (${whose})`}. These lines came from there and stand nowhere in the files any more. Judge for each whether what it was for is still done.

${lines.join('\n')}`;
};

const before: Part = ({ run, worker }) => {
  const state = run.workers.get(worker);
  const rounds = state?.reworks ?? [];
  const said = state?.review?.verdicts ?? [];
  const lines = [
    ...rounds.map((one, index) => `- Sent back ${index + 1}: ${inline(one.text)}`),
    ...said.flatMap(({ reviewer, text, findings }) => [
      `- ${inline(reviewer)}: ${inline(text === '' ? 'approved' : text)}`,
      ...findings.map((finding) => `  - ${inline(findingLine(finding))}`),
    ]),
  ];
  return lines.length === 0 ? null : `## What was said before\n\n${lines.join('\n')}`;
};

const answering: Part = ({ key }) => {
  const form = {
    review: key,
    verdict: 'approve or changes_requested',
    summary: 'one or two sentences',
    findings: [
      { severity: 'critical, high, medium or low', file: 'path', line: 1, text: 'what is wrong' },
    ],
  };
  return `## How to answer

Look for what is wrong: behaviour that the mission does not want, lost cases, tests that prove nothing, work of others that was undone, secrets, anything that would have to be mended later. Do not ask for taste.

End with one JSON object of this form as your last words, outside of any tool. Without it your review has no verdict.

\`\`\`json
${JSON.stringify(form, null, 2)}
\`\`\`

A finding that is critical or high means that changes are requested. \`findings\` may be empty; \`file\` and \`line\` may be left out.`;
};
