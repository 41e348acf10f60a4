/** The parts of a briefing, each a Markdown text under its heading, or null when there is nothing to say. */
import { posix } from 'node:path';
import { leftOutOf, leftOutText } from '../core/left-out.ts';
import { dependentsOf } from '../core/schedule/order.ts';
import { tokenForecast, tokenLimit } from '../core/plan.ts';
import type { Note } from '../core/state.ts';
import type { Briefing, Dependency } from './briefing.ts';
import { code, inline, quoted } from './quote.ts';

export type Section = (briefing: Briefing) => string | null;

/** Sections under each other; empty ones are left out. */
export function compose(briefing: Briefing, sections: readonly Section[]): string {
  const texts = sections.flatMap((section) => section(briefing) ?? []);
  return `${texts.join('\n\n')}\n`;
}

/** A link to a path that opens from the worker's folder, or from where the text stands. */
export function link({ place }: Briefing, path: string): string {
  const relative = posix.relative(place.linksFrom ?? place.tree, path);
  const target = /^[\w./@%+,:~-]+$/.test(relative) ? relative : `<${relative}>`;
  return `[${relative.replace(/([[\]\\])/g, '\\$1')}](${target})`;
}

export const dependencies: Section = (briefing) => {
  if (briefing.dependencies.length === 0) return null;
  return `## Dependencies\n\n${briefing.dependencies.map(dependency).join('\n\n')}`;
};

function dependency({ edge, state, role }: Dependency): string {
  const what = {
    output: 'its files are in your tree',
    knowledge: 'its handoff is below',
    sequential: 'order only',
  };
  const merged =
    state.merged === null ? '' : `; merged as ${code(state.merged.commit.slice(0, 12))}`;
  const who = role === null ? '' : ` (${inline(role)})`;
  const why = edge.reason === null ? '' : ` Reason: ${inline(edge.reason)}`;
  const line = `- **${edge.on}**${who}: ${state.state}${merged}; ${what[edge.kind]}.${why}`;
  if (state.handoff === null) return line;
  return `${line}\n\n${quoted({ kind: 'agent', worker: edge.on }, state.handoff)}`;
}

export const boundaries: Section = ({ definition: { owns, references, workspace } }) => {
  const lines: string[] = [];
  if (workspace === 'branch') {
    if (owns !== null)
      lines.push(`- You may change only: ${list(owns)}. A change elsewhere is not merged.`);
    if (references.length > 0) lines.push(`- Read-only for you: ${list(references)}.`);
    lines.push(
      '- A change to settings of git, hooks, continuous integration or agents, or to a file that a check runs, waits for a person, unless it is one of your deliverables.',
    );
  } else if (references.length > 0) lines.push(`- Read-only for you: ${list(references)}.`);
  return lines.length === 0 ? null : `## What you may change\n\n${lines.join('\n')}`;
};

export const budget: Section = ({ definition, worker }) => {
  const { budget: given } = definition;
  if (given === null) return null;
  const lines: string[] = [];
  if (given.tokens !== null)
    lines.push(`- Estimate: ${tokens(given.tokens)}; realistic: ${tokens(tokenForecast(given))}`);
  const limit = tokenLimit(given);
  if (limit !== null) lines.push(`- Limit: ${tokens(limit)}`);
  if (given.costUsd !== null) lines.push(`- Cost: ${given.costUsd} USD`);
  const used = worker.usage.input + worker.usage.output;
  if (used > 0) lines.push(`- Used so far: ${tokens(used)}`);
  if (used > 0 && limit !== null) lines.push(`- Left: ${tokens(Math.max(0, limit - used))}`);
  return lines.length === 0 ? null : `## Budget\n\n${lines.join('\n')}`;
};

function tokens(count: number | null): string {
  return `${(count ?? 0).toLocaleString('en-US')} tokens`;
}

export const tasks: Section = ({ definition, worker }) => {
  if (definition.tasks.length === 0) return null;
  const done = new Set(
    worker.tasks.filter((one) => one.completedAt !== null).map((one) => one.task),
  );
  const lines = definition.tasks.map((task) => `- [${done.has(task) ? 'x' : ' '}] ${inline(task)}`);
  return `## Tasks\n\n${lines.join('\n')}`;
};

export const deliverables: Section = ({ definition, place }) => {
  if (definition.deliverables.length === 0) return null;
  const where = place.branch === null ? 'in your folder' : 'on your branch';
  const lines = definition.deliverables.map(
    (one) => `- ${code(one)}${one.endsWith('/') ? ' (a folder with at least one file)' : ''}`,
  );
  return `## Deliverables\n\nThese must exist ${where} when you end:\n\n${lines.join('\n')}`;
};

export const success: Section = ({ definition }) => {
  if (definition.successCriteria.length === 0) return null;
  return `## Success criteria\n\n${definition.successCriteria.map((one) => `- ${inline(one)}`).join('\n')}`;
};

export const checks: Section = ({ commands, definition, place }) => {
  const lines = commands.map((command) => `- ${code(command)}`);
  if (definition.handoff === 'required')
    lines.push('- a handoff, reported with `czar emit handoff`');
  if (lines.length === 0) return null;
  const where =
    place.branch === null
      ? 'in your folder'
      : 'on clean checkouts of your branch and of the merged result';
  return `## How your work is checked\n\nAfter you end, czar checks ${where}:\n\n${lines.join('\n')}`;
};

/** Asked of who must give one, and of everybody on whom others depend. */
export const handoff: Section = ({ run, definition: { id, handoff: wanted } }) => {
  const others = dependentsOf(run.plan, id);
  if (wanted !== 'required' && others.length === 0) return null;
  const readers = others.slice(0, 10);
  const who = readers.length === 0 ? '' : ` It is shown to ${readers.join(', ')}.`;
  const must =
    wanted === 'required' ? 'Your work counts only with one.' : 'Give one if it helps them.';
  return `## Handoff

Before you end, write down what those who come after you need, in a file such as \`"$TMPDIR"/closeout.md\`, and report it with \`czar emit handoff --file FILE\`. ${must}${who}

    # Closeout: ${id}

    ## Deliverables
    - each one, and where it is

    ## What changed
    - what is different now, and why it was done so

    ## Notes for dependents
    - what they build on, and how; what they must not do

    ## Open risks
    - what is not done, not sure, or not tested; "none" when there is nothing`;
};

export const reporting: Section = (briefing) => `## How to report

${code('czar')} is on your PATH. Each report is stored at once; nobody has to listen.

    czar emit task-start "TASK"
    czar emit task-complete "TASK"
    czar emit checkpoint "NAME"
    czar emit handoff --file FILE  what the next worker needs to know     (or the text, or - for standard input)
    czar emit usage --input-tokens N --output-tokens N
    czar emit ask "QUESTION"       then end: the answer comes with your next prompt
    czar emit ask --wait 10m "QUESTION"     or wait for it, when your commands may take so long
    czar emit blocked "REASON"     then end

In a shell the same as functions, from ${link(briefing, briefing.place.shellFile)}:

    . "$CZAR_SHELL"
    czarina_log_task_start "TASK"
    czarina_log_checkpoint "NAME"
    czarina_log_task_complete "TASK"`;

/** What earlier attempts, gates and people said, oldest first, word for word. */
export const history: Section = ({ worker, definition, place }) => {
  const texts = worker.notes.flatMap((note) => noted(note, worker.id) ?? []);
  const kept = worker.kept.map(
    (one) =>
      `- ${code(one.commit.slice(0, 12))} (${inline(one.why)}): ${one.files.slice(0, 20).map(code).join(', ')}${one.files.length > 20 ? ` and ${one.files.length - 20} more` : ''}`,
  );
  if (kept.length > 0) {
    const how =
      place.branch === null ? '' : ' Look at it with `git show COMMIT`, take what is good.';
    texts.push(`Work of earlier attempts that was kept.${how}\n\n${kept.join('\n')}`);
  }
  const left = leftOutOf(worker.kept).map((file) => `- ${inline(leftOutText(file))}`);
  if (left.length > 0) {
    texts.push(
      `Files that czar does not commit for you, with where their copies lie.\n\n${left.join('\n')}`,
    );
  }
  if (place.attempt === 1 && texts.length === 0) return null;
  const tree = place.continues ? 'You go on in the tree as it was left.' : 'Your tree is clean.';
  const other = worker.attempt?.agent;
  const instead =
    other == null
      ? ''
      : ` You take the place of ${inline(definition.agent.name)} (${inline(other.why)}); what it left is all that you know of it.`;
  const opening = place.attempt > 1 ? [`This is attempt ${place.attempt}. ${tree}${instead}`] : [];
  return `## What happened before\n\n${[...opening, ...texts].join('\n\n')}`;
};

function noted(note: Note, worker: string): string | null {
  switch (note.kind) {
    case 'answer':
      return `The answer to your question.\n\n${quoted({ kind: 'person' }, note.text)}`;
    case 'note':
      return quoted({ kind: 'person' }, note.text);
    case 'finding':
      return quoted({ kind: 'program', what: `the checks of ${worker}'s work` }, note.text);
    case 'failure':
      return quoted({ kind: 'program', what: 'an attempt that failed' }, note.text);
    case 'interrupted':
      return quoted({ kind: 'program', what: 'an attempt that was interrupted' }, note.text);
    case 'kept':
      // Named with its commit below.
      return null;
  }
}

function list(patterns: readonly string[]): string {
  return patterns.length === 0 ? 'nothing' : patterns.map(code).join(', ');
}
