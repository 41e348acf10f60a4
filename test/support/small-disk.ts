/**
 * A file system of a few megabytes in memory, which a test fills, makes read-only and gives back. Needs the right to
 * mount: where there is none, `skip` says so and the test is left out.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Why no small disk can be made here; false when one can. */
export const skip: string | false = mayMount();

export interface SmallDisk extends Disposable {
  readonly path: string;
  /** Takes every free byte but so many. */
  readonly fill: (leave?: number) => void;
  /** Gives back what `fill` took. */
  readonly free: () => void;
  readonly readOnly: (on: boolean) => void;
}

/** A disk of so many bytes. */
export function smallDisk(bytes: number): SmallDisk {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'czar-disk-')));
  const { uid, gid } = userInfo();
  mounting(
    'mount',
    '-t',
    'tmpfs',
    '-o',
    `size=${bytes},mode=0700,uid=${uid},gid=${gid}`,
    'tmpfs',
    path,
  );
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: (leave = 0) => {
      const left = (): number => {
        const { bavail, bsize } = statfsSync(path);
        return bavail * bsize - leave;
      };
      const fd = openSync(ballast, 'a');
      try {
        for (let size = left(); size > 0; size = left())
          if (!writes(fd, Buffer.alloc(Math.min(size, 64 * 1024)))) break;
      } finally {
        closeSync(fd);
      }
      if (left() > 0) throw new Error('the disk is not full');
    },
    free: () => rmSync(ballast, { force: true }),
    readOnly: (on) => mounting('mount', '-o', `remount,${on ? 'ro' : 'rw'}`, path),
    [Symbol.dispose]() {
      mounting('umount', '-l', path);
      rmdirSync(path);
    },
  };
}

function writes(fd: number, bytes: Buffer): boolean {
  try {
    return writeSync(fd, bytes) > 0;
  } catch {
    return false;
  }
}

function mayMount(): string | false {
  if (process.platform !== 'linux') return 'small disks are tmpfs mounts of Linux';
  try {
    smallDisk(1 << 16)[Symbol.dispose]();
    return false;
  } catch {
    return 'this user may not mount a file system';
  }
}

function mounting(...command: readonly [string, ...string[]]): void {
  const [program, ...args] = command;
  const asRoot = userInfo().uid === 0 ? [program, ...args] : ['sudo', '-n', program, ...args];
  execFileSync(asRoot[0] ?? '', asRoot.slice(1), { stdio: 'ignore' });
}
