/** A folder for PATH with programs that stand in for `gh` and `glab`, and the pull requests that they know. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface StoredPull {
  readonly number: number;
  readonly state: 'open' | 'merged' | 'closed';
  readonly head: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
}

export interface ForgeFolder {
  readonly folder: string;
  pulls(): readonly StoredPull[];
  /** Arguments and input of each call, oldest first. */
  calls(): readonly { readonly args: readonly string[]; readonly input: string }[];
  /** What somebody else does to all pull requests. */
  set(state: StoredPull['state']): void;
  /** What it says from here on, by path: JSON, a text as it is, (null) that there is nothing, or why it `fails`. */
  answer(answers: Readonly<Record<string, unknown>>): void;
  /** Where it looks for branches. */
  remoteAt(path: string): void;
}

/** Makes the folder, with these programs. */
export function forgeFolder(base: string, ...programs: readonly ('gh' | 'glab')[]): ForgeFolder {
  const folder = join(base, 'forge');
  mkdirSync(folder);
  const script = readFileSync(join(import.meta.dirname, 'stand-in-forge.mjs'), 'utf8');
  for (const name of programs)
    writeFileSync(join(folder, name), `#!${process.execPath}\n${script}`, { mode: 0o755 });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const store = join(folder, 'pulls.json');
  const pulls = (): readonly StoredPull[] => JSON.parse(readFileSync(store, 'utf8'));
  return {
    folder,
    pulls,
    calls: () =>
      readFileSync(join(folder, 'calls.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    set: (state) =>
      writeFileSync(store, JSON.stringify(pulls().map((pull) => ({ ...pull, state })))),
    answer: (answers) => writeFileSync(join(folder, 'answers.json'), JSON.stringify(answers)),
    remoteAt: (path) => writeFileSync(join(folder, 'remote'), path),
  };
}
