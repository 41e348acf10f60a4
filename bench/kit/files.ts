/** Repositories with many files, made in seconds: git reads all commits from one stream (git-fast-import). */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** A commit to be made, each on top of the first one. */
export interface Branch {
  readonly name: string;
  /** Content by path. */
  readonly files: Readonly<Record<string, string>>;
}

/** Path of a source file: folders of 25, packages of 40 folders. */
export function pathOf(index: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const folder = Math.floor(index / 25);
  return `package${two(Math.floor(folder / 40))}/part${two(folder % 40)}/file${two(index % 25)}.ts`;
}

/** Content of such a file, about one KiB. */
export function contentOf(index: number): string {
  const lines = Array.from({ length: 40 }, (_, line) => `export const v${line} = ${index * line};`);
  return `// Module ${index}.\n${lines.join('\n')}\n`;
}

/** A bare repository whose `main` has `count` files, and branches of one commit each. */
export function bareRepository(
  dir: string,
  env: NodeJS.ProcessEnv,
  options: { readonly count: number; readonly branches: readonly Branch[] },
): void {
  mkdirSync(dir, { recursive: true });
  const git = (args: readonly string[], input = ''): void => {
    execFileSync('git', [`--git-dir=${dir}`, ...args], { env, input, stdio: 'pipe' });
  };
  git(['init', '-q', '--bare', '-b', 'main']);
  const who = 'bench <bench@localhost> 1800000000 +0000';
  const data = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const file = (path: string, content: string): string =>
    `M 100644 inline ${path}\n${data(content)}`;
  const parts = [`commit refs/heads/main\nmark :1\ncommitter ${who}\n${data('Base')}`];
  for (let index = 0; index < options.count; index += 1)
    parts.push(file(pathOf(index), contentOf(index)));
  for (const { name, files } of options.branches) {
    parts.push(`commit refs/heads/${name}\ncommitter ${who}\n${data(`Work of ${name}`)}from :1\n`);
    for (const [path, content] of Object.entries(files)) parts.push(file(path, content));
  }
  git(['fast-import', '--quiet'], parts.join(''));
}
