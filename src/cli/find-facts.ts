/** What is true of the user's repository, for verbs that are about to work in it. */
import type { Place } from '../daemon/place.ts';
import { inspectRepository, type RepositoryFacts } from '../daemon/repository.ts';
import { exits } from './exit.ts';
import type { CliContext } from './verb.ts';

/** The facts of the checkout; null when czar does not work in it as it is, which has been said. */
export async function findFacts(
  context: CliContext,
  place: Place,
): Promise<RepositoryFacts | null> {
  const found = await inspectRepository({ directory: place.root });
  switch (found.kind) {
    case 'repository':
      return found.facts;
    case 'refused':
      context.fail({ exit: found.passing ? exits.refused : exits.wrong, what: found.reason });
      return null;
    case 'failed':
      context.fail({ exit: exits.failed, what: found.error });
      return null;
  }
}
