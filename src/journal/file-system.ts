/**
 * What the file system says of the log: which file it is, its folder, and whether that can hold it, since its locks need
 * a file system of this machine. Magic numbers as in statfs(2); where the number says nothing (other systems), the folder
 * is taken as local.
 */
import { existsSync, mkdirSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const network: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE'],
]);

/** Makes the folder, for the user alone, where it is missing. Throws what the file system says. */
export function makePrivateFolder(folder: string): void {
  if (existsSync(folder)) return;
  // Asked to make the folders above as well, Node says ENOENT of a read-only disk.
  const recursive = !existsSync(dirname(folder));
  mkdirSync(folder, { recursive, mode: 0o700 });
}

/** Name of the network file system that the existing folder lies on, or null when it is a local one. */
export function networkFileSystem(folder: string): string | null {
  return networkFileSystemName(statfsSync(folder).type);
}

/** Name of the network file system with this type number, or null. */
export function networkFileSystemName(type: number): string | null {
  return process.platform === 'linux' ? (network.get(type >>> 0) ?? null) : null;
}

/** Names the file that the path leads to now, or null. Another file at the same path has another name. */
export function fileIdentity(path: string): string | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
}
