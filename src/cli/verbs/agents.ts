/** `czar agents [list] | test NAME`: which agents there are, what each can do, and whether one works here. */
import { listAgents } from '../../daemon/views/list-agents.ts';
import { readConfig } from '../../plan/config-file.ts';
import { loadPlan } from '../../plan/load.ts';
import { hasErrors, type Problems } from '../../plan/diagnostics.ts';
import { agentLines } from '../../report/agents.ts';
import { testAgent } from './agents-test.ts';
import { configSources } from '../config-sources.ts';
import { findPlace } from '../find-place.ts';
import { streamEnd } from '../reading.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .command('list', { isDefault: true })
      .description('all that are known or defined: whether they are here, and what each can do')
      .action(async () => list(context));
    command
      .command('test')
      .description('lets one write and commit a file in a scratch repository; it spends')
      .argument('<name>', 'which one')
      .option('--timeout <time>', 'how long it may take', '5m')
      .addHelpText(
        'after',
        '\nIt is started, read and judged as in a run, with your HOME and the permissions of the configuration.' +
          '\nIt asks first; without a terminal it needs --yes.' +
          '\nExit codes: 0 it can do the work of a run, 1 it cannot, 4 nothing was started.',
      )
      .action(async (name: string, { timeout }: { readonly timeout: string }) =>
        testAgent(context, { name, timeout }),
      );
    command.addHelpText(
      'after',
      '\nlist asks each program of a known adapter for its version and its login; none of it spends.',
    );
  },
};

async function list(context: CliContext): Promise<void> {
  const place = findPlace(context);
  if (place === null) return;
  const { root, home } = place;
  const sources = configSources(context);
  const problems: Problems = { list: [] };
  const { agents } = readConfig({ root, home: home.name, sources }, problems);
  const loaded = loadPlan({ root, home, sources });
  if (hasErrors(loaded.diagnostics))
    context.out.note('The plan has errors (czar validate): who works for it is not shown.');
  using end = streamEnd(context);
  const env = { ...context.env };
  const document = await listAgents({ root, env, agents, plan: loaded.plan, signal: end.signal });
  if (end.signal.aborted) return;
  if (context.options.json) return context.out.json(document);
  for (const line of agentLines(document, context.out.width() ?? Infinity)) context.out.line(line);
}
