/** What of a commit cannot be put into working trees as it is meant: submodules, and files that pass through filters. */
import { inUserRepository } from './context.ts';
import type { GitContext } from './context.ts';
import { failing, fields, output } from './git.ts';
import type { Failed } from './git.ts';

export interface Unsupported {
  readonly kind: 'unsupported';
  /** Paths of submodules. */
  readonly submodules: readonly string[];
  /** Names of the filters that attribute files name, in whatever folder. */
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
    for (const entry of fields(
      await output(['ls-tree', '-r', '-z', '--full-tree', commit], call),
    )) {
      const path = entry.slice(entry.indexOf('\t') + 1);
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
    return { kind: 'unsupported', submodules, filters: [...filters] };
  });
}
