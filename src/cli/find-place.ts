/** The repository that a command acts on. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { locate, type Place } from '../daemon/place.ts';
import { exits } from './exit.ts';
import { environmentNames } from '../plan/environments.ts';
import type { CliContext } from './verb.ts';

/** The repository that the command acts on; null when there is none, which has been said. */
export function findPlace(context: CliContext): Place | null {
  const from = resolve(context.cwd, context.options.repo ?? '.');
  const place = locate({ from, czarDir: context.options.czarDir, cwd: context.cwd });
  if ('error' in place) {
    const bare = ['HEAD', 'objects', 'refs'].every((name) => existsSync(join(from, name)));
    context.fail({
      exit: exits.wrong,
      what: bare ? `${from} is a bare repository: czar needs one with a checkout` : place.error,
      next: place.next ?? 'cd into a git repository, or name one with --repo',
    });
    return null;
  }
  return place;
}

/** The same for verbs that read no configuration: also they say of an environment (`--env`) that there is none. */
export function findPlaceAlone(context: CliContext): Place | null {
  const place = findPlace(context);
  const name = context.options.env;
  if (place === null || name === null) return place;
  const names = environmentNames(place.home.path);
  if (names.includes(name)) return place;
  context.fail({
    exit: exits.wrong,
    what: `there is no environment ${JSON.stringify(name)}`,
    where: `${place.home.name}/env`,
    next:
      names.length === 0
        ? `${place.home.name}/env/NAME.yaml makes one`
        : `environments there are: ${names.join(', ')}`,
  });
  return null;
}
