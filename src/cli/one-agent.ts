/** An agent that a person asks for by name outside of any run: known, configured, and agreed to, since it spends. */
import { agentNamed } from '../daemon/views/list-agents.ts';
import type { AloneOptions } from '../daemon/trial/run-alone.ts';
import { readConfig } from '../plan/config-file.ts';
import { hasErrors, type Problems } from '../plan/diagnostics.ts';
import { formatDuration, parseDuration } from '../plan/duration.ts';
import { nearest } from '../plan/nearest.ts';
import { configSources } from './config-sources.ts';
import { exits } from './exit.ts';
import { findPlace } from './find-place.ts';
import { printDiagnostics } from './plan-files.ts';
import { insideAttempt } from './steering.ts';
import type { CliContext } from './verb.ts';

/** How the agent is started; 'no' when it is not, which has been said. `timeout` is a duration as typed. */
export async function oneAgent(
  context: CliContext,
  {
    name,
    timeout,
    verb,
    command,
  }: {
    readonly name: string;
    readonly timeout: string;
    /** The verb, for a refusal; and the command line that goes on without a question. */
    readonly verb: string;
    readonly command: string;
  },
): Promise<Omit<AloneOptions, 'signal'> | 'no'> {
  const { out, options } = context;
  const refused = (found: Parameters<CliContext['fail']>[0]): 'no' => {
    context.fail(found);
    return 'no';
  };
  if (await insideAttempt(context, verb)) return 'no';
  const timeoutMs = parseDuration(timeout);
  if (timeoutMs === null || timeoutMs === 0)
    return refused({
      exit: exits.wrong,
      what: `--timeout ${timeout} is no time`,
      next: '--timeout 5m',
    });
  const place = findPlace(context);
  if (place === null) return 'no';
  const { root, home } = place;
  const problems: Problems = { list: [] };
  const config = readConfig({ root, home: home.name, sources: configSources(context) }, problems);
  if (hasErrors(problems.list)) {
    printDiagnostics(out.error, problems.list);
    return refused({
      exit: exits.wrong,
      what: 'the configuration has errors',
      next: 'czar config validate',
    });
  }
  const definition = agentNamed(name, config.agents);
  if (definition === null) {
    const near = nearest(name, Object.keys(config.agents.define));
    return refused({
      exit: exits.nothing,
      what: `there is no agent ${JSON.stringify(name)}`,
      next: near === null ? 'czar agents lists them' : `did you mean ${near}?`,
    });
  }
  const most = `${name} is started once with a short prompt, for at most ${formatDuration(timeoutMs)}: that costs what its provider takes for it`;
  if (!options.yes) {
    if (!context.canAsk)
      return refused({
        exit: exits.refused,
        what: `nothing was started: ${most}`,
        next: `${command} --yes`,
      });
    if (!(await context.confirm(`${most}. Go on?`))) {
      out.note('Nothing was started.');
      context.exit(exits.refused);
      return 'no';
    }
  } else out.note(`${most}.`);
  return { definition, root, env: { ...context.env }, policies: config.policies, timeoutMs };
}
