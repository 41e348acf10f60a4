/**
 * The technology of a worker, told from its definition: names of files that it is to deliver or may change say more than
 * files that its text names, and those more than words. What is not clear has none; nothing is guessed.
 */
import type { DraftFields } from './draft.ts';
import { list } from './fields.ts';

interface Technology {
  readonly name: string;
  /** Endings of its files. */
  readonly endings: readonly string[];
  /** Words that mean it, however they are written; with a capital only as they stand here, since they are others too. */
  readonly words: readonly string[];
}

const technologies: readonly Technology[] = [
  {
    name: 'python',
    endings: ['py', 'pyi', 'ipynb'],
    words: ['python', 'django', 'Flask', 'fastapi'],
  },
  { name: 'go', endings: ['go'], words: ['golang'] },
  {
    name: 'react',
    endings: ['tsx', 'jsx'],
    words: ['React', 'react.js', 'reactjs', 'react components', 'next.js', 'nextjs'],
  },
  { name: 'typescript', endings: ['ts', 'mts', 'cts'], words: ['typescript'] },
  { name: 'javascript', endings: ['js', 'mjs', 'cjs'], words: ['javascript', 'node.js', 'nodejs'] },
  { name: 'rust', endings: ['rs'], words: ['Rust', 'in rust'] },
  { name: 'java', endings: ['java'], words: ['java', 'spring boot'] },
  { name: 'kotlin', endings: ['kt', 'kts'], words: ['kotlin'] },
  { name: 'swift', endings: ['swift'], words: ['Swift', 'swiftui'] },
  { name: 'ruby', endings: ['rb'], words: ['Ruby', 'ruby on rails'] },
  { name: 'php', endings: ['php'], words: ['php', 'laravel'] },
  { name: 'csharp', endings: ['cs'], words: ['c#', '.net'] },
  { name: 'c', endings: ['c', 'h', 'cc', 'cpp', 'hpp'], words: ['c++'] },
  { name: 'shell', endings: ['sh', 'bash'], words: ['bash', 'shell script', 'shell scripts'] },
  { name: 'sql', endings: ['sql'], words: ['sql', 'postgres', 'postgresql', 'sqlite', 'mysql'] },
  {
    name: 'design',
    endings: ['css', 'scss', 'svg', 'fig'],
    words: ['design spec', 'design specs', 'figma', 'css', 'wireframe', 'wireframes'],
  },
  {
    name: 'docs',
    endings: ['md', 'mdx', 'rst', 'adoc'],
    words: ['documentation', 'architecture document', 'architecture documents'],
  },
];

/** Names that a rule may use. */
export const technologyNames: readonly string[] = technologies.map(({ name }) => name);

const byEnding: ReadonlyMap<string, string> = new Map(
  technologies.flatMap(({ name, endings }) => endings.map((ending) => [ending, name] as const)),
);

/** Characters of a text that are looked at. */
const mostText = 200_000;

/** What the worker is written in; null when that is not clear, as with two that are named as often. */
export function technologyOf({
  fields,
  instructions,
}: {
  readonly fields: DraftFields;
  readonly instructions: string;
}): string | null {
  const text = [
    fields.role ?? '',
    fields.mission ?? '',
    fields.first_action ?? '',
    ...list(fields.tasks),
    ...list(fields.success_criteria),
    instructions,
  ]
    .join('\n')
    .slice(0, mostText);
  const ways = [
    () => [...list(fields.deliverables), ...list(fields.owns)].flatMap(ofPath),
    () => text.split(/[\s`"'()<>[\],;:|]/).flatMap(ofPath),
    () => ofWords(text),
  ];
  for (const way of ways) {
    const found = way();
    if (found.length > 0) return mostNamed(found);
  }
  return null;
}

/** The technology of a file or pattern with an ending; a full stop behind it belongs to its sentence. */
function ofPath(path: string): readonly string[] {
  const bare = path.endsWith('.') ? path.slice(0, -1) : path;
  const dot = bare.lastIndexOf('.');
  const found = dot === -1 ? undefined : byEnding.get(bare.slice(dot + 1).toLowerCase());
  // A name that every such project has is no file of the worker's: "Node.js".
  return found === undefined || dot === 0 || isWord(bare) ? [] : [found];
}

function isWord(text: string): boolean {
  return technologies.some(({ words }) => words.includes(text.toLowerCase()));
}

function ofWords(text: string): readonly string[] {
  const lower = text.toLowerCase();
  return technologies.flatMap(({ name, words }) =>
    words.flatMap((word) => {
      const times = timesIn(word === word.toLowerCase() ? lower : text, word);
      return Array.from({ length: times }, () => name);
    }),
  );
}

/** How often the word stands in the text by itself. */
function timesIn(text: string, word: string): number {
  const isPart = (character: string | undefined): boolean =>
    character !== undefined && /[\w#+]/.test(character);
  let times = 0;
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + word.length)) {
    const after = at + word.length;
    // A full stop may end a sentence; with a letter behind it, the word is a part of a name.
    const goesOn = text[after] === '.' && isPart(text[after + 1]);
    if (!isPart(text[at - 1]) && !isPart(text[after]) && !goesOn) times += 1;
  }
  return times;
}

function mostNamed(found: readonly string[]): string | null {
  const times = new Map<string, number>();
  for (const name of found) times.set(name, (times.get(name) ?? 0) + 1);
  const [first, second] = [...times].sort(([, a], [, b]) => b - a);
  return first === undefined || first[1] === second?.[1] ? null : first[0];
}
