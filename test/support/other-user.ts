/** A program of node that runs as a user for whom permissions count: to root every folder is open. */
import { spawnSync } from 'node:child_process';

const isRoot = process.getuid?.() === 0;
const other = isRoot ? { uid: 65_534, gid: 65_534 } : {};

/** Why that cannot be done here; false when it can. */
export const skip: string | false =
  isRoot && spawnSync(process.execPath, ['--version'], other).status !== 0
    ? 'no other user comes to this node'
    : false;

/** What the program (a module's text) prints as JSON. The folder is that user's meanwhile. */
export function asOtherUser(
  folder: string,
  of: { readonly program: string; readonly argument: unknown },
): unknown {
  if (isRoot) spawnSync('chown', ['-R', '65534:65534', folder]);
  const args = ['--input-type=module', '-e', of.program, JSON.stringify(of.argument)];
  const done = spawnSync(process.execPath, args, { ...other, cwd: folder, encoding: 'utf8' });
  if (isRoot) spawnSync('chown', ['-R', '0:0', folder]);
  if (done.status !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout);
}
