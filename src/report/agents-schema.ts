/** The documents of `czar agents`, version 1: shipped in `schema/`. */
import * as z from 'zod';

const adapter = z.enum(['command', 'acp', 'claude', 'codex']);

export const agentSchema = z.strictObject({
  name: z.string(),
  adapter: adapter.nullable().describe('how czar speaks to it; null when it has no command'),
  source: z
    .enum(['built_in', 'config'])
    .nullable()
    .describe('who defines it; null when it is only named'),
  default: z.boolean().describe('does what no preference and no worker gives to another'),
  found: z.boolean(),
  path: z.string().nullable().describe('its program'),
  problem: z.string().nullable().describe('why it cannot be started, or what it did not say'),
  version: z
    .string()
    .nullable()
    .describe('as its program says; null when that was not asked or not said'),
  logged_in: z
    .boolean()
    .nullable()
    .describe('as its program says without spending; null when that is not known'),
  capabilities: z
    .strictObject({
      usage: z.enum(['total', 'turns', 'turns and total', 'none']),
      cost: z.boolean().describe('it tells what it costs'),
      resume: z.boolean().describe('a session that has ended can be taken up again'),
      permissions: z.enum(['ask', 'flags', 'none']).describe('how what it may do is settled'),
      mcp: z.enum(['flag', 'session', 'none']),
    })
    .nullable(),
  workers: z.array(z.string()).describe('those of the plan that it works for'),
});

/** `czar agents --json`. */
export const agentsSchema = z.strictObject({ v: z.literal(1), agents: z.array(agentSchema) });

export type AgentDocument = z.infer<typeof agentSchema>;
export type AgentsDocument = z.infer<typeof agentsSchema>;
