/** The scratch repository in which an agent is tried: one commit, configured as the repository of an attempt is. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git } from '../../git/git.ts';
import { treeConfig } from '../../git/trees/tree-config.ts';

/** The file that the agent is to write. */
export const trialFile = 'czar-test.txt';

/** Makes the repository in `dir` (absolute, not there yet). Throws when that fails. */
export async function makeTrialRepository(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await call(dir, ['init', '-q', '-b', 'main', '--template=']);
  const identity = { name: 'czar agents test', email: 'agents-test@localhost' };
  const config = treeConfig({ identity, origin: null, objectFormat: 'sha1' });
  await writeFile(join(dir, '.git/config'), config);
  await writeFile(join(dir, 'README.md'), '# A test of how an agent is started\n');
  await call(dir, ['add', 'README.md']);
  await call(dir, ['commit', '-q', '-m', 'Begin']);
}

/** What the agent is told. `word` is what the file is to hold, new each time. */
export function trialPrompt(word: string): string {
  return [
    'This is a short test of whether you can work in this repository. Do exactly this and nothing else:',
    '',
    `1. Write the file ${trialFile} in the current folder. It holds one line: ${word}`,
    `2. Commit it: git add ${trialFile} && git commit -m "Test"`,
    '3. Say in one sentence whether both worked, and end.',
    '',
    'Read no other file, and run no other command.',
    '',
  ].join('\n');
}

/** Whether the file holds the word, in the tree and in the commit that is checked out. */
export async function trialWork(
  dir: string,
  word: string,
): Promise<{ readonly written: boolean; readonly committed: boolean }> {
  const { code, stdout } = await git(['show', `HEAD:${trialFile}`], {
    cwd: dir,
    maxOutputBytes: maxBytes,
  });
  const inTree = await readFile(join(dir, trialFile), 'utf8').catch(() => '');
  const committed = code === 0 && stdout.toString('utf8').trim() === word;
  return { written: committed || inTree.trim() === word, committed };
}

const maxBytes = 64 * 1024;

async function call(cwd: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await git(args, { cwd });
  if (code !== 0) throw new Error(`git ${args[0]} failed: ${stderr.trim()}`);
}
