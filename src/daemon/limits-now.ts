/** The limits that the configuration gives a run now. */
import type { Request } from '../core/commands.ts';
import { limitsOf, noSources, same, type RunLimits, type RunSources } from '../core/limits.ts';
import type { RunState } from '../core/state.ts';
import { readConfig } from '../plan/config-file.ts';
import { configKeys } from '../plan/config-keys.ts';
import type { ConfigSources } from '../plan/config-layers.ts';
import type { Problems } from '../plan/diagnostics.ts';
import type { Place } from './place.ts';

/** The limits, or the first thing that is wrong with the configuration. */
export function limitsNow(
  { root, home }: Pick<Place, 'root' | 'home'>,
  sources: ConfigSources,
): { readonly limits: RunLimits } | { readonly problem: string } {
  const problems: Problems = { list: [] };
  const config = readConfig({ root, home: home.name, sources }, problems);
  const wrong = problems.list.find(({ severity }) => severity === 'error');
  if (wrong === undefined) return { limits: limitsOf(config.policies) };
  return { problem: `${wrong.file}:${wrong.line}: ${wrong.message}` };
}

/** What of the sources a run keeps: variables that set no key are no business of its log. */
export function runSources({ environment, variables, flags }: ConfigSources): RunSources {
  const set = Object.entries(variables).filter(([name]) => ofKeys.has(name));
  return { environment, variables: Object.fromEntries(set), flags };
}

/**
 * What asks for the limits that a person's command gives a run that goes on. What was chosen when the run began, or by a
 * later command, holds until another one chooses: a command without flags and variables changes nothing of that.
 */
export function askLimits(
  place: Pick<Place, 'root' | 'home'>,
  run: RunState,
  sources: ConfigSources,
): Extract<Request, { kind: 'set-limits' }> | { readonly problem: string } {
  const own = runSources(sources);
  const chosen = same(own, noSources) ? null : own;
  const found = limitsNow(place, { ...sources, ...(chosen ?? run.sources ?? noSources) });
  if ('problem' in found) return found;
  return { kind: 'set-limits', run: run.id, limits: found.limits, sources: chosen };
}

const ofKeys: ReadonlySet<string> = new Set(configKeys.map(({ variable }) => variable));
