/** What opens a worker's tree for a person: the agent's program where that is one to talk to, else the shell. */
import { basename } from 'node:path';
import { isConversation } from '../../plan/init.ts';
import { which } from '../../process/which.ts';

export { runOnTerminal } from '../../process/on-terminal.ts';

/** Absolute path of the program, or one sentence why there is none; `agent` is the agent's, null to have the shell. */
export function programFor(options: {
  readonly agent: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}): { readonly path: string } | { readonly missing: string } {
  const { agent, env, cwd } = options;
  const path = env['PATH'] ?? '';
  if (agent !== null && isConversation(basename(agent))) {
    const found = which({ program: agent, path, cwd });
    if ('path' in found) return found;
  }
  return which({ program: env['SHELL'] || '/bin/sh', path, cwd });
}
