/** The workers, or what running ones wait with, that a verb of several is about: named ones, or all with `--all`. */
import { exits } from '../exit.ts';
import type { CliContext } from '../verb.ts';

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

/** What is said of them: of launches, and of what running attempts wait with (`WORKER/p1`). */
export function sentences(
  names: readonly string[],
  say: {
    readonly launches: (names: string) => string;
    readonly asks: (names: string) => string;
  },
): string {
  const asks = names.filter((name) => name.includes('/'));
  const launches = names.filter((name) => !name.includes('/'));
  return [
    ...(launches.length === 0 ? [] : [say.launches(launches.join(', '))]),
    ...(asks.length === 0 ? [] : [say.asks(asks.join(', '))]),
  ].join(' ');
}
