/**
 * What a worker may change only with a person's approval when the config says nothing else: settings that decide what
 * git, hooks, continuous integration and other agents do with everyone's work. The home itself and the files that a
 * gate's command names are protected whatever the config says.
 */

import { pathPatch, type Block } from './events.ts';
import type { WorkerState } from './state.ts';

/** The block once a person has approved one of its paths: what is left of it, or as it was when nothing is. */
export function blockWithout(block: Block | null, approved: string): Block | null {
  if (block?.kind !== 'protect') return block;
  const files = block.files.filter((file) => file !== approved);
  if (files.length === 0) return block;
  const findings = block.findings.filter((finding) => !finding.startsWith(`${approved} `));
  return { ...block, files, findings, text: `protect failed: ${files.join(', ')}` };
}

/** Of these paths the ones whose change, as it is now, no person has approved. */
export function pathsOpen(
  { work, approvals }: Pick<WorkerState, 'work' | 'approvals'>,
  files: readonly string[],
): readonly string[] {
  return files.filter((file) => {
    const mine = work?.changed.find((one) => one.path === file);
    return (
      mine === undefined ||
      !approvals.some((one) => one.path === file && one.patch === pathPatch(mine))
    );
  });
}

/** Globs of `protect` by default, against paths of the repository. Without a capital letter, case is ignored. */
export const defaultProtect: readonly string[] = [
  // Git: attributes steer merges.
  '**/.gitattributes',
  '.gitmodules',
  '.gitconfig',
  // Hook tools.
  '.husky/',
  '.githooks/',
  '.pre-commit-config.{yaml,yml}',
  '.pre-commit-hooks.yaml',
  '{.lefthook,lefthook}{,-local}.{yml,yaml,toml,json}',
  '.lefthook/',
  '.overcommit.yml',
  '**/.lintstagedrc*',
  // Continuous integration and who must review.
  '.github/{workflows,actions}/**',
  '{,.github/,.gitlab/,docs/}CODEOWNERS',
  '.gitlab-ci.{yml,yaml}',
  '.gitlab/',
  '.circleci/',
  '.buildkite/',
  '.travis.yml',
  '.cirrus.yml',
  '.drone.yml',
  '.woodpecker{/**,.yml,.yaml}',
  '{.forgejo,.gitea}/workflows/**',
  '{.azure,azure}-pipelines{/**,.yml,.yaml}',
  'bitbucket-pipelines.yml',
  '{.,}appveyor.yml',
  'Jenkinsfile',
  // Agents: their settings, and the instructions that every later agent reads.
  '**/{.claude,.codex,.gemini,.opencode,.cursor,.windsurf,.roo,.clinerules}/**',
  '**/{AGENTS,CLAUDE,GEMINI}{,.local,.override}.md',
  '**/{.cursorrules,.windsurfrules,.clinerules,.mcp.json}',
  '**/.aider*',
  'opencode.json{,c}',
  '.github/copilot-instructions.md',
];
