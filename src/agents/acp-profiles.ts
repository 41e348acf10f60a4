/**
 * What is known of each agent that speaks the Agent Client Protocol: how it is started, which of its modes fits a
 * permission policy, how its session is taken up again, and what its figures of usage mean. Measured with the versions
 * that `docs/agents.md` names. Pure.
 */
import { basename } from 'node:path';
import type { InstructionFile } from '../core/instruction-files.ts';
import type { AgentDefinition, Permissions } from '../core/plan.ts';
import type { Capabilities } from './adapter.ts';

/** What its figures are: of the whole turn, of its last step alone, of each step, of the turn in `_meta`, whatever comes. */
export type UsageKind = 'sum' | 'last step' | 'steps' | 'meta' | 'any';

/** What its answers to a start depend on. */
interface ProfileGround {
  readonly permissions: Permissions;
  /** Folders that it writes to beside its tree, absolute. */
  readonly writable: readonly string[];
  /** Its standing instructions; null for none. */
  readonly standing: string | null;
}

export interface Profile {
  readonly name: string;
  /** Mode of the session for a policy; null for the one it comes up in. */
  readonly mode: Readonly<Record<Permissions['policy'], string | null>>;
  readonly resume: 'session/resume' | 'session/load' | 'none';
  readonly usage: UsageKind;
  readonly cost: boolean;
  /** Arguments that choose a model before the start; null where the protocol chooses it. */
  readonly model: ((model: string) => readonly string[]) | null;
  /** Variables that it is started with. */
  readonly env: (ground: ProfileGround) => Readonly<Record<string, string>>;
  /** What a request for a session carries to give it standing instructions; null where there is nothing for it. */
  readonly standing: ((text: string) => Readonly<Record<string, unknown>>) | null;
  /** The file of instructions that it reads by itself at the top of its tree; null where that is not known. */
  readonly instructions: InstructionFile | null;
  /** Name of a file with its standing instructions that it reads by itself outside its tree; null where it needs none. */
  readonly standingFile: 'AGENTS.md' | 'GEMINI.md' | null;
  /** Arguments that give it standing instructions, or the folder of that file; null where there are none. */
  readonly standingArgs: ((text: string, folder: string) => readonly string[]) | null;
  /** Variables that it never gets. */
  readonly unset: readonly string[];
  /** Ways to log in without a person, and the variable that has to be there. */
  readonly logins: readonly { readonly method: string; readonly variable: string }[];
  /** Whether it ends when its input does. */
  readonly endsWithInput: boolean;
  /** Whether it has modes that ask before a command; its own sandbox holds it otherwise. */
  readonly asks: boolean;
}

const usual = {
  mode: { read: null, edit: null, work: null, full: null },
  resume: 'session/resume',
  usage: 'any',
  cost: true,
  model: null,
  env: () => ({}),
  standing: null,
  instructions: null,
  standingFile: null,
  standingArgs: null,
  // Some take any value of it for the word that they are in a sandbox, and then bypass what they would ask.
  unset: ['IS_SANDBOX'],
  logins: [],
  endsWithInput: true,
  asks: true,
} as const satisfies Omit<Profile, 'name'>;

const profiles: Readonly<Record<string, Profile>> = {
  opencode: {
    ...usual,
    name: 'opencode',
    usage: 'last step',
    instructions: { name: 'AGENTS.md', hides: ['CLAUDE.md', 'CONTEXT.md'] },
    standingFile: 'AGENTS.md',
    // It allows everything unless it is told to ask.
    env: ({ permissions }) => ({
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      ...(permissions.policy === 'full' ? {} : { OPENCODE_PERMISSION: askAll }),
    }),
  },
  gemini: {
    ...usual,
    name: 'gemini',
    mode: { read: 'default', edit: 'default', work: 'default', full: 'yolo' },
    // It has session/load, and finds none of its sessions.
    resume: 'none',
    usage: 'meta',
    instructions: { name: 'GEMINI.md', hides: [] },
    standingFile: 'GEMINI.md',
    standingArgs: (_, folder) => ['--include-directories', folder],
    cost: false,
    model: (model) => ['-m', model],
    // Its second process would be left behind when the first is ended.
    env: () => ({ GEMINI_CLI_NO_RELAUNCH: 'true', GEMINI_CLI_TRUST_WORKSPACE: 'true' }),
    logins: [{ method: 'gemini-api-key', variable: 'GEMINI_API_KEY' }],
  },
  qwen: {
    ...usual,
    name: 'qwen',
    mode: { read: 'default', edit: 'default', work: 'default', full: 'yolo' },
    usage: 'steps',
    // It reads AGENTS.md beside it.
    instructions: { name: 'QWEN.md', hides: [] },
    standingArgs: (text) => ['--append-system-prompt', text],
    cost: false,
    model: (model) => ['-m', model],
    env: () => ({ QWEN_CODE_NO_RELAUNCH: 'true' }),
    logins: [{ method: 'openai', variable: 'OPENAI_API_KEY' }],
    endsWithInput: false,
  },
  'claude-agent-acp': {
    ...usual,
    name: 'claude-agent-acp',
    mode: { read: 'default', edit: 'default', work: 'default', full: 'bypassPermissions' },
    usage: 'sum',
    env: () => ({ DISABLE_AUTOUPDATER: '1' }),
    instructions: { name: 'CLAUDE.md', hides: ['AGENTS.md'] },
    standing: (text) => ({ systemPrompt: { append: text } }),
  },
  'codex-acp': {
    ...usual,
    name: 'codex-acp',
    mode: { read: 'read-only', edit: 'agent', work: 'agent', full: 'agent-full-access' },
    usage: 'sum',
    cost: false,
    instructions: { name: 'AGENTS.md', hides: ['CLAUDE.md'] },
    // Its sandbox makes `.git` read-only unless it is named.
    env: ({ permissions, writable, standing }) => ({
      CODEX_CONFIG: JSON.stringify({
        // A login shell begins with a PATH of its own, on which there is no czar.
        allow_login_shell: false,
        ...(standing === null ? {} : { developer_instructions: standing }),
        ...(permissions.policy === 'full'
          ? {}
          : { sandbox_workspace_write: { writable_roots: writable } }),
      }),
    }),
    logins: [
      { method: 'api-key', variable: 'CODEX_API_KEY' },
      { method: 'api-key', variable: 'OPENAI_API_KEY' },
    ],
    asks: false,
  },
};

const askAll = JSON.stringify({
  bash: 'ask',
  edit: 'ask',
  webfetch: 'ask',
  external_directory: 'ask',
});

/** Of an agent of which nothing is known. */
const anyAgent: Profile = { ...usual, name: 'any' };

/** The profile of the agent: by its name, else by its program's. */
export function profileOf({ name, command }: Pick<AgentDefinition, 'name' | 'command'>): Profile {
  for (const known of [name, basename(command[0] ?? '')])
    if (Object.hasOwn(profiles, known)) return profileNamed(known);
  return anyAgent;
}

/** The profile of that name. */
export function profileNamed(name: string): Profile {
  return (Object.hasOwn(profiles, name) ? profiles[name] : null) ?? anyAgent;
}

/** What an agent of this profile can do. */
export function capabilitiesOfProfile({ usage, cost, resume, asks }: Profile): Capabilities {
  return {
    usage: usage === 'steps' ? 'turns and total' : 'total',
    cost,
    resume: resume !== 'none',
    permissions: asks ? 'ask' : 'flags',
    mcp: 'session',
  };
}
