/** `czar agents test NAME`: whether an agent can do the work of a run here, by letting it do a very small one. */
import { tryAgent } from '../../daemon/trial/try-agent.ts';
import { trialLines } from '../../report/agent-trial.ts';
import { exits } from '../exit.ts';
import { oneAgent } from '../one-agent.ts';
import { streamEnd } from '../reading.ts';
import type { CliContext } from '../verb.ts';

/** Tries the agent, when a person agrees that it spends. `timeout` is a duration as typed. */
export async function testAgent(
  context: CliContext,
  asked: { readonly name: string; readonly timeout: string },
): Promise<void> {
  const { out, options } = context;
  const command = `czar agents test ${asked.name}`;
  const agent = await oneAgent(context, { ...asked, verb: 'agents test', command });
  if (agent === 'no') return;
  using end = streamEnd(context);
  const trial = await tryAgent({ ...agent, signal: end.signal });
  if (options.json) out.json(trial);
  else for (const line of trialLines(trial)) out.line(line);
  if (!end.signal.aborted) context.exit(trial.ok ? exits.done : exits.failed);
}
