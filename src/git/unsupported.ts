/** What of a commit cannot be put into working trees as it is meant: submodules, and files that pass through filters. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { inUserRepository } from './context.ts';
import type { GitContext } from './context.ts';
import { failing, fields, git, output } from './git.ts';
import type { Failed } from './git.ts';

export interface Unsupported {
  readonly kind: 'unsupported';
  /** Paths of submodules. */
  readonly submodules: readonly string[];
  /** Names of the filters that attribute files of the commit name, or the user's own for files of it. */
  readonly filters: readonly string[];
}

/** Looks through a commit of the user's repository; both lists are empty when all of it is supported. */
export async function unsupportedIn(
  context: GitContext,
  commit: string,
): Promise<Unsupported | Failed> {
  return failing(async () => {
    const call = inUserRepository(context);
    const submodules: string[] = [];
    const attributes: string[] = [];
    const paths: string[] = [];
    for (const entry of fields(
      await output(['ls-tree', '-r', '-z', '--full-tree', commit], call),
    )) {
      const path = entry.slice(entry.indexOf('\t') + 1);
      paths.push(path);
      if (entry.startsWith('160000 ')) submodules.push(path);
      else if (/(?:^|\/)\.gitattributes$/.test(path))
        attributes.push(entry.split(/[ \t]/)[2] ?? '');
    }
    const filters = new Set<string>();
    if (attributes.length > 0) {
      const input = [...new Set(attributes), ''].join('\n');
      const texts = (await output(['cat-file', '--batch'], { ...call, input })).toString('utf8');
      for (const [, name = ''] of texts.matchAll(/^[^#\n]*\sfilter=(\S+)/gm)) filters.add(name);
    }
    for (const name of await filtersOfUser(context, paths)) filters.add(name);
    return { kind: 'unsupported', submodules, filters: [...filters] };
  });
}

/**
 * Filters that files pass through by attributes which no commit holds: of the repository's `info`, of the user, of the
 * machine. One that is named and not set up does nothing.
 */
async function filtersOfUser(
  context: GitContext,
  paths: readonly string[],
): Promise<readonly string[]> {
  const call = { cwd: context.root, config: 'user', signal: context.signal } as const;
  if (!(await areFiltersNamed(context, call))) return [];
  const input = paths.map((path) => `${path}\0`).join('');
  const found = fields(
    await output(['check-attr', '-z', '--stdin', 'filter'], { ...call, input }),
  ).filter((_, index) => index % 3 === 2);
  const set = await git(['config', '-z', '--name-only', '--get-regexp', '^filter[.]'], call);
  const keys = fields(set.stdout);
  return [...new Set(found)].filter((name) =>
    ['clean', 'smudge', 'process'].some((key) => keys.includes(`filter.${name}.${key}`)),
  );
}

async function areFiltersNamed(
  context: GitContext,
  call: { readonly cwd: string; readonly config: 'user' },
): Promise<boolean> {
  const configured = await git(['config', '--path', '--get', 'core.attributesFile'], call);
  const config = process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  const files = [
    join(context.commonDir, 'info/attributes'),
    configured.code === 0
      ? configured.stdout.toString('utf8').trim()
      : join(config, 'git/attributes'),
    '/etc/gitattributes',
  ];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return texts.some((text) => /\sfilter=/.test(text));
}
