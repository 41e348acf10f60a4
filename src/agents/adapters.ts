/** The adapters by their names. */
import type { InstructionFile } from '../core/instruction-files.ts';
import type { AdapterName, AgentDefinition } from '../core/plan.ts';
import { acp } from './acp.ts';
import { capabilitiesOfProfile, profileOf } from './acp-profiles.ts';
import type { Adapter, Capabilities } from './adapter.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';
import { command } from './command.ts';

/** Those that can be used. */
export const adapters: Readonly<Record<AdapterName, Adapter>> = { acp, command, claude, codex };

/** What the agent can do: of those that speak one protocol each can do something else. */
export function capabilitiesOf(definition: AgentDefinition): Capabilities {
  return definition.adapter === 'acp'
    ? capabilitiesOfProfile(profileOf(definition))
    : adapters[definition.adapter].capabilities;
}

/** The file of instructions that the agent reads by itself at the top of its tree; null where that is not known. */
export function instructionsOf(definition: AgentDefinition): InstructionFile | null {
  return definition.adapter === 'acp'
    ? profileOf(definition).instructions
    : adapters[definition.adapter].instructions;
}
