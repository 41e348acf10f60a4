/** `czar init`: a home from what is there. */
import { initHome } from '../../plan/init.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import { isObstructed } from '../obstacle.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define: (command, context) => {
    command.action(() => init(context));
  },
};

function init(context: CliContext): void {
  const place = findPlace(context);
  if (place === null || isObstructed(context, place, { folders: ['workers'] })) return;
  const { out, options, env } = context;
  const result = initHome({ ...place, path: env['PATH'] ?? '' });
  if ('error' in result) return context.fail({ exit: exits.refused, what: result.error });
  if (options.json) {
    out.json({ v: 1, home: place.home.name, ...result });
    return;
  }
  for (const name of result.made) out.line({ text: 'made  ', style: 'green' }, name);
  for (const name of result.kept) out.line({ text: 'kept  ', style: 'dim' }, name);
  const agents = result.agents.length === 0 ? 'none found on PATH' : result.agents.join(', ');
  out.line(`agents: ${agents}`);
  out.line(`checks: ${result.checks.length === 0 ? 'none found' : result.checks.join('; ')}`);
  out.note('next: czar add "TEXT" or czar worker new ID, then czar validate and czar run');
}
