/**
 * Files of instructions that agents read by themselves at the top of their tree, such as `CLAUDE.md`: which of them czar
 * may write into the tree of an attempt.
 */

/** Names of those that some agent reads. */
export const instructionNames = ['CLAUDE.md', 'AGENTS.md', 'GEMINI.md', 'QWEN.md'] as const;

export type InstructionName = (typeof instructionNames)[number];

/** What an agent reads by itself. */
export interface InstructionFile {
  readonly name: InstructionName;
  /** Files that it reads only where that one is not. */
  readonly hides: readonly string[];
}

/**
 * The file that czar writes for an agent; null when it writes none: the agent reads none, or the tree has something of
 * that name (of any case: some file systems know no difference), or something that the agent would no longer read, or
 * the worker is to write it itself.
 */
export function instructionToWrite(of: {
  readonly file: InstructionFile | null;
  /** Names at the top of the tree, and of the commit that it began from, without files that czar wrote. */
  readonly taken: Iterable<string>;
  readonly isDeliverable: (path: string) => boolean;
}): InstructionName | null {
  const { file } = of;
  if (file === null || of.isDeliverable(file.name)) return null;
  const inTheWay = new Set([file.name, ...file.hides].map((name) => name.toLowerCase()));
  for (const name of of.taken) if (inTheWay.has(name.toLowerCase())) return null;
  return file.name;
}

/** Whether a path of a tree is that of a file which some agent reads by itself at its top. */
export function isInstructionName(path: string): path is InstructionName {
  return instructionNames.some((name) => name === path);
}
