/** The adapters by their names. */
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
