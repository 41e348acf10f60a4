/** The workers that a verb of several is about: named ones, or all with `--all`. */
import { exits } from './exit.ts';
import type { CliContext } from './verb.ts';

/** Their ids, null for all; undefined when that is not clear, which has been said. */
export function chosenWorkers(
  context: CliContext,
  verb: string,
  { named, all }: { readonly named: readonly string[]; readonly all: boolean },
): readonly string[] | null | undefined {
  if (all !== named.length > 0) return all ? null : named;
  context.fail({
    exit: exits.wrong,
    what: all ? 'either workers or --all' : 'no worker is named',
    next: `czar ${verb} WORKER…, or czar ${verb} --all`,
  });
  return undefined;
}
