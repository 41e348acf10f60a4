/** `czar agents test NAME`: whether an agent can do the work of a run here, by letting it do a very small one. */
import { agentNamed } from '../daemon/list-agents.ts';
import { tryAgent } from '../daemon/try-agent.ts';
import { readConfig } from '../plan/config-file.ts';
import { hasErrors, type Problems } from '../plan/diagnostics.ts';
import { formatDuration, parseDuration } from '../plan/duration.ts';
import { nearest } from '../plan/nearest.ts';
import { trialLines } from '../report/agent-trial.ts';
import { configSources } from './config-sources.ts';
import { exits } from './exit.ts';
import { findPlace } from './find-place.ts';
import { printDiagnostics } from './plan-files.ts';
import { streamEnd } from './reading.ts';
import { insideAttempt } from './steering.ts';
import type { CliContext } from './verb.ts';

/** Tries the agent, when a person agrees that it spends. `timeout` is a duration as typed. */
export async function testAgent(
  context: CliContext,
  { name, timeout }: { readonly name: string; readonly timeout: string },
): Promise<void> {
  const { out, options } = context;
  if (await insideAttempt(context, 'agents test')) return;
  const timeoutMs = parseDuration(timeout);
  if (timeoutMs === null || timeoutMs === 0)
    return context.fail({
      exit: exits.wrong,
      what: `--timeout ${timeout} is no time`,
      next: '--timeout 5m',
    });
  const place = findPlace(context);
  if (place === null) return;
  const { root, home } = place;
  const problems: Problems = { list: [] };
  const config = readConfig({ root, home: home.name, sources: configSources(context) }, problems);
  if (hasErrors(problems.list)) {
    printDiagnostics(out.error, problems.list);
    return context.fail({
      exit: exits.wrong,
      what: 'the configuration has errors',
      next: 'czar config validate',
    });
  }
  const definition = agentNamed(name, config.agents);
  if (definition === null) {
    const near = nearest(name, Object.keys(config.agents.define));
    return context.fail({
      exit: exits.nothing,
      what: `there is no agent ${JSON.stringify(name)}`,
      next: near === null ? 'czar agents lists them' : `did you mean ${near}?`,
    });
  }
  const most = `${name} is started once with a short prompt, for at most ${formatDuration(timeoutMs)}: that costs what its provider takes for it`;
  if (!options.yes) {
    if (!context.canAsk)
      return context.fail({
        exit: exits.refused,
        what: `nothing was started: ${most}`,
        next: `czar agents test ${name} --yes`,
      });
    if (!(await context.confirm(`${most}. Go on?`))) {
      out.note('Nothing was started.');
      return context.exit(exits.refused);
    }
  } else out.note(`${most}.`);
  using end = streamEnd(context);
  const { policies } = config;
  const env = { ...context.env };
  const trial = await tryAgent({ definition, root, env, policies, timeoutMs, signal: end.signal });
  if (options.json) out.json(trial);
  else for (const line of trialLines(trial)) out.line(line);
  if (!end.signal.aborted) context.exit(trial.ok ? exits.done : exits.failed);
}
