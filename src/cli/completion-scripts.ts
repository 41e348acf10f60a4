/** The scripts that complete a command line, of what there is to complete. Pure. */

export interface CompletedFlag {
  /** With its dashes. */
  readonly long: string;
  readonly short: string | null;
  readonly text: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** A verb or sub-verb. */
export interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  readonly verbs: readonly Completed[];
  /** What its first word may be. */
  readonly words: readonly string[];
  /** Whether its words are ids of workers. */
  readonly takesWorkers: boolean;
}

interface All {
  readonly verbs: readonly Completed[];
  readonly globals: readonly CompletedFlag[];
}

/** The script for a shell. */
export function shellScript(shell: 'bash' | 'zsh' | 'fish', all: All): string {
  switch (shell) {
    case 'bash':
      return bash(all);
    case 'zsh':
      return `autoload -U +X bashcompinit && bashcompinit\n${bash(all)}`;
    case 'fish':
      return fish(all);
  }
}

/** Workers by their files, as far as a shell can tell. */
const workerFiles = `for file in .czar/workers/*.md .czarina/workers/*.md; do
      [ -e "$file" ] || continue
      file=\${file##*/}
      words="$words \${file%.md}"
    done`;

function bash({ verbs, globals }: All): string {
  const valued = [
    ...globals,
    ...verbs.flatMap((one) => [one, ...one.verbs]).flatMap(({ flags }) => flags),
  ]
    .filter(({ takesValue }) => takesValue)
    .flatMap(namesOf);
  const every = names(globals);
  const cases = verbs.flatMap((verb) => [
    branch(`${verb.name}/`, verb, every),
    ...verb.verbs.map((sub) => branch(`${verb.name}/${sub.name}`, sub, every)),
  ]);
  const choices = verbs
    .flatMap((one) => [one, ...one.verbs])
    .flatMap(({ flags }) => flags)
    .filter((flag) => flag.choices.length > 0);
  const byFlag = new Map(choices.map((flag) => [flag.long, flag.choices]));
  return [
    '_czar() {',
    '  local cur=${COMP_WORDS[COMP_CWORD]} verb= sub= word file words= flags= i',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    word=${COMP_WORDS[i]}',
    '    case $word in',
    `      ${[...new Set(valued)].join(' | ')}) i=$((i + 1)) ;;`,
    '      -*) ;;',
    '      *) if [ -z "$verb" ]; then verb=$word; elif [ -z "$sub" ]; then sub=$word; fi ;;',
    '    esac',
    '  done',
    '  case ${COMP_WORDS[COMP_CWORD - 1]} in',
    ...[...byFlag].map(
      ([long, of]) =>
        `    ${long}) COMPREPLY=($(compgen -W ${quoted(of.join(' '))} -- "$cur")); return ;;`,
    ),
    `    ${[...new Set(valued)].join(' | ')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;`,
    '  esac',
    '  case $verb/$sub in',
    `    /) words=${quoted(['help', ...verbs.map(({ name }) => name)].join(' '))} flags=${quoted(every)} ;;`,
    `    help/) words=${quoted(verbs.map(({ name }) => name).join(' '))} ;;`,
    ...cases,
    ...verbs
      .filter(({ verbs: subs }) => subs.length === 0)
      .map((verb) => branch(`${verb.name}/*`, { ...verb, words: [] }, every)),
    '  esac',
    '  case $words in',
    `    *:workers:*)`,
    '    words=${words/:workers:/}',
    `    ${workerFiles} ;;`,
    '  esac',
    '  case $cur in -*) words=$flags ;; esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
    '}',
    'complete -F _czar czar',
    '',
  ].join('\n');
}

function branch(pattern: string, of: Completed, every: string): string {
  const words = [...of.verbs.map(({ name }) => name), ...of.words];
  if (of.takesWorkers) words.push(':workers:');
  const flags = `${names(of.flags)} ${every}`.trim();
  return `    ${pattern}) words=${quoted(words.join(' '))} flags=${quoted(flags)} ;;`;
}

function fish({ verbs, globals }: All): string {
  const workers =
    "(for file in .czar/workers/*.md .czarina/workers/*.md; string replace -r '.*/(.*)\\.md$' '$1' $file; end)";
  const line = (condition: string | null, rest: string): string =>
    `complete -c czar -f ${condition === null ? '' : `-n ${quoted(condition)} `}${rest}`;
  const flagLine = (condition: string | null, flag: CompletedFlag): string =>
    line(
      condition,
      [
        `-l ${flag.long.replace(/^--/, '')}`,
        ...(flag.short === null ? [] : [`-s ${flag.short.replace(/^-/, '')}`]),
        ...(flag.takesValue ? ['-r'] : []),
        ...(flag.choices.length > 0 ? [`-a ${quoted(flag.choices.join(' '))}`] : []),
        `-d ${quoted(flag.text)}`,
      ].join(' '),
    );
  const first = 'not __fish_seen_subcommand_from ' + verbs.map(({ name }) => name).join(' ');
  return [
    ...globals.map((flag) => flagLine(null, flag)),
    ...verbs.flatMap((verb) => {
      const here = `__fish_seen_subcommand_from ${verb.name}`;
      const subs = verb.verbs.map(({ name }) => name).join(' ');
      const alone = subs === '' ? here : `${here}; and not __fish_seen_subcommand_from ${subs}`;
      return [
        line(first, `-a ${verb.name} -d ${quoted(verb.summary)}`),
        ...verb.flags.map((flag) => flagLine(here, flag)),
        ...(verb.words.length > 0 ? [line(here, `-a ${quoted(verb.words.join(' '))}`)] : []),
        ...(verb.takesWorkers ? [line(here, `-a ${quoted(workers)}`)] : []),
        ...verb.verbs.flatMap((sub) => {
          const there = `${here}; and __fish_seen_subcommand_from ${sub.name}`;
          return [
            line(alone, `-a ${sub.name} -d ${quoted(sub.summary)}`),
            ...sub.flags.map((flag) => flagLine(there, flag)),
            ...(sub.takesWorkers ? [line(there, `-a ${quoted(workers)}`)] : []),
          ];
        }),
      ];
    }),
    '',
  ].join('\n');
}

function names(flags: readonly CompletedFlag[]): string {
  return flags.map(({ long }) => long).join(' ');
}

function namesOf({ long, short }: CompletedFlag): readonly string[] {
  return short === null ? [long] : [long, short];
}

/** In single quotes, for all three shells. */
function quoted(text: string): string {
  return `'${text.replace(/[\n\t]/g, ' ').replace(/'/g, `'\\''`)}'`;
}
