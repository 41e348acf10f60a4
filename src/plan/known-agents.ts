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

const openai = ['OPENAI_API_KEY', 'CODEX_API_KEY', 'OPENAI_BASE_URL', 'CODEX_HOME'];

const known: readonly AgentDefinition[] = [
  { name: 'claude', adapter: 'claude', command: ['claude'], env: anthropic },
  {
    name: 'codex',
    adapter: 'codex',
    command: ['codex'],
    env: openai,
  },
  {
    name: 'opencode',
    adapter: 'acp',
    command: ['opencode', 'acp'],
    env: [
      'OPENCODE_CONFIG',
      'OPENCODE_CONFIG_CONTENT',
      'OPENCODE_CONFIG_DIR',
      'OPENCODE_API_KEY',
      'OPENCODE_DISABLE_MODELS_FETCH',
      'ANTHROPIC_API_KEY',
      'OPENAI_API_KEY',
      'GEMINI_API_KEY',
      'OPENROUTER_API_KEY',
    ],
  },
  {
    name: 'gemini',
    adapter: 'acp',
    command: ['gemini', '--acp'],
    env: [
      'GEMINI_API_KEY',
      'GOOGLE_API_KEY',
      'GOOGLE_GEMINI_BASE_URL',
      'GEMINI_MODEL',
      'GOOGLE_CLOUD_PROJECT',
      'GOOGLE_CLOUD_LOCATION',
      'GOOGLE_GENAI_USE_VERTEXAI',
      'GOOGLE_APPLICATION_CREDENTIALS',
    ],
  },
  {
    name: 'qwen',
    adapter: 'acp',
    command: ['qwen', '--acp'],
    env: ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL', 'DASHSCOPE_API_KEY'],
  },
  {
    name: 'claude-agent-acp',
    adapter: 'acp',
    command: ['claude-agent-acp'],
    env: [...anthropic, 'CLAUDE_CODE_EXECUTABLE'],
  },
  {
    name: 'codex-acp',
    adapter: 'acp',
    command: ['codex-acp'],
    env: [...openai, 'CODEX_PATH', 'MODEL_PROVIDER'],
  },
  {
    name: 'aider',
    adapter: 'command',
    // It commits by itself, and its own prompts have nobody to answer them.
    command: ['aider', '--yes-always', '--no-check-update', '--message-file', '{prompt_file}'],
    env: [
      'AIDER_MODEL',
      'ANTHROPIC_API_KEY',
      'OPENAI_API_KEY',
      'OPENAI_API_BASE',
      'GEMINI_API_KEY',
    ],
  },
  {
    name: 'goose',
    adapter: 'command',
    command: ['goose', 'run', '--instructions', '{prompt_file}'],
    env: [
      'GOOSE_PROVIDER',
      'GOOSE_MODEL',
      'GOOSE_MODE',
      'ANTHROPIC_API_KEY',
      'OPENAI_API_KEY',
      'GOOGLE_API_KEY',
    ],
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
