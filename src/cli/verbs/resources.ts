/** `czar resources`: what there is of things that workers share, who holds how much, and who waits. */
import { emptyState } from '../../core/evolve.ts';
import type { RepositoryState } from '../../core/state.ts';
import { withReader } from '../../daemon/views/read.ts';
import { readConfig } from '../../plan/config-file.ts';
import { lookAtMachine } from '../../plan/machine.ts';
import { resourceLines, resourcesDocument } from '../../report/resources.ts';
import { configSources } from '../config-sources.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .command('list', { isDefault: true })
      .description('a row for each')
      .action(async () => show(context));
    command.addHelpText(
      'after',
      '\nOf a live run the plan counts that it has; where none is live, what config.yaml says.',
    );
  },
};

async function show(context: CliContext): Promise<void> {
  const place = findPlace(context);
  if (place === null) return;
  const { root, home } = place;
  // Where nothing was ever run, nothing is in use.
  let state: RepositoryState = emptyState();
  const read = await withReader(place, (reader) => {
    if (reader.note !== null) context.out.note(reader.note);
    state = reader.load();
  });
  if (!read.ok && read.problem.kind === 'unreadable') {
    const { what, next } = read.problem;
    return context.fail({ exit: exits.refused, what, next });
  }
  const sources = configSources(context);
  const { policies } = readConfig({ root, home: home.name, sources }, { list: [] });
  const machine = lookAtMachine(home.exists ? [home.path, place.state] : [root, place.state]);
  const document = resourcesDocument({ state, now: context.now(), machine, policies });
  if (context.options.json) return context.out.json(document);
  for (const line of resourceLines(document, context.out.width() ?? Infinity))
    context.out.line(line);
}
