/**
 * The agents that czar knows how to speak to: what starts them, and which variables of the user's hold their logins and
 * endpoints. A definition in the configuration adds to these or takes their place.
 */
import type { AgentDefinition } from '../core/plan.ts';

const anthropic = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_MODEL',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CONFIG_DIR',
  'CLAUDE_CODE_USE_BEDROCK',
  'AWS_REGION',
  'AWS_PROFILE',
  'AWS_BEARER_TOKEN_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
  'CLOUD_ML_REGION',
  'ANTHROPIC_VERTEX_PROJECT_ID',
];

const known: readonly AgentDefinition[] = [
  { name: 'claude', adapter: 'claude', command: ['claude'], env: anthropic },
  {
    name: 'codex',
    adapter: 'codex',
    command: ['codex'],
    env: ['OPENAI_API_KEY', 'CODEX_API_KEY', 'OPENAI_BASE_URL', 'CODEX_HOME'],
  },
];

/** By name. */
export const knownAgents: ReadonlyMap<string, AgentDefinition> = new Map(
  known.map((agent) => [agent.name, agent]),
);

/** Whether the definition is the one that czar has, with nothing of a configuration in it. */
export function isAsKnown(definition: AgentDefinition): boolean {
  return knownAgents.get(definition.name) === definition;
}
