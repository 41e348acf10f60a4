/**
 * WORKER_IDENTITY.md: what a worker is, for whoever looks into its tree, agent or person. Every path that it links is
 * relative to the folder it stands in, and opens.
 */
import { agentNameOf } from '../core/schedule/which-agent.ts';
import type { Briefing } from './briefing.ts';
import { code, inline } from './quote.ts';
import * as section from './sections.ts';

/** The Markdown of the identity file. */
export function workerIdentity(briefing: Briefing): string {
  return section.compose(briefing, [
    title,
    reference,
    mission,
    section.dependencies,
    section.boundaries,
    section.budget,
    section.tasks,
    section.deliverables,
    section.success,
    section.checks,
    section.handoff,
    section.reporting,
    closing,
  ]);
}

/**
 * What its agent keeps in mind, as a part of its instructions that it cannot forget: who it is, its limits, and where
 * the rest stands. Short, since it goes with every request of the agent.
 */
export function standingText(briefing: Briefing, identityFile: string): string {
  const { definition, place } = briefing;
  const rest = `Who you are, what you may change and how you report stands in ${code(identityFile)} of your folder; all of your instructions in ${code(place.promptFile)}. Read them again whenever you are not sure.`;
  return section.compose(briefing, [
    () =>
      `You are the worker **${definition.id}** of run ${briefing.run.id}, in ${code(place.tree)}. Nobody reads along while you work. ${rest}`,
    section.boundaries,
    section.deliverables,
  ]);
}

/**
 * What stands in the file of instructions that its agent reads by itself in its tree: who it is, and where the rest is.
 * `identityFile` is relative to the tree.
 */
export function instructionsText(briefing: Briefing, identityFile: string): string {
  const { definition, place, run } = briefing;
  return section.compose(briefing, [
    () =>
      `You are the worker **${definition.id}** of run ${run.id}, attempt ${place.attempt}. Who you are, what you may change, what you deliver and how it is checked stands in ${code(identityFile)} of this folder; all of your instructions in ${code(place.promptFile)}. Your prompt holds the same: read them when you no longer know it.`,
    () =>
      `Report with the tools of czar, or with ${code('czar emit')} on your PATH: ${['task-start "TASK"', 'task-complete "TASK"', 'checkpoint "NAME"', 'handoff --file FILE'].map((kind) => code(`czar emit ${kind}`)).join(', ')}; ${code('czar emit ask "QUESTION"')} or ${code('czar emit blocked "REASON"')}, then end.`,
  ]);
}

const title: section.Section = ({ definition, run }) => {
  const role = definition.role === null ? '' : `\n\n## Your role\n\n${definition.role.trim()}`;
  return `# Worker identity: ${definition.id}\n\nYou are the **${definition.id}** worker of run ${run.id}${run.plan.name === '' ? '' : ` of ${inline(run.plan.name)}`}.${role}`;
};

const reference: section.Section = (briefing) => {
  const { place } = briefing;
  const on = briefing.dependencies.map(({ edge }) => edge.on).join(', ') || 'none';
  return [
    '## Quick reference',
    '',
    `- **Branch:** ${place.branch === null ? 'none: this folder is no repository' : code(place.branch)}`,
    `- **Location:** ${code(place.tree)}`,
    `- **Agent:** ${agentText(briefing)}`,
    `- **Dependencies:** ${on}`,
    `- **Attempt:** ${place.attempt}`,
    `- **Full instructions:** ${section.link(briefing, place.promptFile)}`,
  ].join('\n');
};

function agentText({ run, worker, definition }: Briefing): string {
  const name = inline(agentNameOf(run, worker));
  const other = worker.attempt?.agent;
  return other == null ? name : `${name}, in place of ${inline(definition.agent.name)}`;
}

const mission: section.Section = ({ definition }) => {
  const parts = [
    definition.mission === null ? null : `## Your mission\n\n${definition.mission.trim()}`,
    definition.firstAction === null ? null : `## First action\n\n${definition.firstAction.trim()}`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join('\n\n');
};

const closing: section.Section = () =>
  'czar wrote this file. It is ignored by git here: do not commit it.';
