import { spawnSync } from 'node:child_process';

/** Why strace cannot be used here, for `skip`; false when it can. */
export function mayTrace(): string | false {
  if (process.platform !== 'linux') return 'strace is of Linux';
  const tried = spawnSync('strace', ['-q', '-o', '/dev/null', 'true'], { stdio: 'ignore' });
  return tried.status === 0 ? false : 'strace is missing, or may not trace here';
}
