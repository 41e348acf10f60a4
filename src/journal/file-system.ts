/**
 * What the file system says of the log: which file it is, and whether a folder can hold it, since its locks need a file
 * system of this machine. Magic numbers as in statfs(2); where the number says nothing (other systems), the folder is
 * taken as local.
 */
import { statfsSync, statSync } from 'node:fs';

const network: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE'],
]);

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
