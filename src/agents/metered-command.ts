/**
 * How an agent is started beside a wire meter (`src/wire/`): a shell that starts the meter, takes over what leads the
 * agent to it, and becomes the agent. So the agent's process is the one on record, and its end is its own.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentDefinition } from '../core/plan.ts';
import { profileOf } from './acp-profiles.ts';

/** Argument in whose place those go that lead an agent to its meter. */
export const meteredArgument = 'czar-metered';

/** Arguments of Codex that choose a provider or its address. */
const chosenByArgument = /model_provider|base_url|^-p$|^--(?:profile|oss|local-provider)\b/;

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The meter's output is its own until it closes it; it must not hold what the shell was given besides. */
const script = `czar_lead=$("$1" --max-old-space-size=64 --max-semi-space-size=1 "$2" "$3" "$4" $$ &)
[ -n "$czar_lead" ] || { echo 'the wire meter did not come up' >&2; exit 70; }
shift 4
eval "$czar_lead"
unset czar_lead
exec "$@"`;

/** What stands before program and arguments of the agent; nothing unless its definition has `meter: true`. */
export function meterWords(agent: AgentDefinition): readonly string[] {
  const { adapter, env, meter } = agent;
  if (meter !== true) return [];
  const isCodex = adapter === 'codex' || profileOf(agent).name === 'codex-acp';
  // What its own arguments choose is not looked at: then it is not led anywhere.
  const chooses = agent.command.some((word) => chosenByArgument.test(word));
  const kind = isCodex ? (chooses ? 'other' : 'codex') : adapter;
  const program = join(root, 'dist', 'cli', 'meter.js');
  return ['/bin/sh', '-c', script, 'czar-exec', process.execPath, program, kind, env.join(',')];
}
