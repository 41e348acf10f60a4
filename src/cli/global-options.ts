/** The options that every verb understands: one table for both ways of reading arguments. */
import type { Flag, Given, GlobalOptions } from './verb.ts';

/** In the order in which help lists them. */
export const globalFlags: readonly Flag[] = [
  { name: 'json', text: 'one JSON document on stdout and nothing else' },
  { name: 'run', value: 'id', text: 'the run to act on (default: the only live one)' },
  {
    name: 'repo',
    value: 'dir',
    text: 'the repository to act on (default: the current folder)',
  },
  { name: 'czar-dir', value: 'dir', text: 'the home folder (default: .czar, else .czarina)' },
  {
    name: 'env',
    value: 'name',
    text: 'lay env/NAME.yaml of the home over its config.yaml (default: CZAR_ENV)',
  },
  {
    name: 'set',
    value: 'key=value',
    many: true,
    text: 'a key of the configuration, over all files and variables (repeatable)',
    wrong: (typed) => (/^[^=]+=/.test(typed) ? null : 'Expected key=value.'),
  },
  { name: 'no-color', text: 'no colours' },
  { name: 'quiet', text: 'no progress on stderr' },
  { name: 'yes', text: 'answer yes to every question' },
  { name: 'debug', text: 'show stack traces' },
];

/** What the global flags say. */
export function globalOptions({ flags, values, lists }: Omit<Given, 'words'>): GlobalOptions {
  return {
    json: flags.has('json'),
    run: values.get('run') ?? null,
    repo: values.get('repo') ?? null,
    czarDir: values.get('czar-dir') ?? null,
    env: values.get('env') ?? null,
    set: lists.get('set') ?? [],
    quiet: flags.has('quiet'),
    yes: flags.has('yes'),
    debug: flags.has('debug'),
  };
}

/** Names of the global flags that stand anywhere before `--`: what can be known before the arguments are understood. */
export function earlyFlags(argv: readonly string[]): ReadonlySet<string> {
  const end = argv.indexOf('--');
  const given = new Set(end < 0 ? argv : argv.slice(0, end));
  return new Set(globalFlags.map(({ name }) => name).filter((name) => given.has(`--${name}`)));
}
