/** The file `start` of an attempt: what its shim sets up before the program, as shell text. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quoted, shimExit } from './runner-text.ts';

export interface Start {
  /** Where the program starts, absolute. */
  readonly cwd: string;
  /** Variables that only this attempt has; names as a shell allows them. */
  readonly own: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  /** Value of CZAR_ATTEMPT_KEY. */
  readonly key: string;
  /** The last arguments of its watchdog. */
  readonly limits: readonly string[];
}

/** Writes the file; nothing secret belongs into it, since it stays. */
export function writeStart(dir: string, { cwd, own, argv, key, limits }: Start): void {
  const variables = Object.entries({ ...own, CZAR_ATTEMPT_KEY: key })
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(' ');
  const lines = [
    `#guard ${key} ${limits.join(' ')}`,
    // What cd sets is not the agent's to inherit; PWD is among its own when it wants it.
    `cd -P -- ${quoted(cwd)} || exit ${shimExit.noTree}`,
    'unset OLDPWD CDPATH',
    `export ${variables}`,
    `set -- ${argv.map(quoted).join(' ')}`,
    '',
  ];
  writeFileSync(join(dir, 'start'), lines.join('\n'), { mode: 0o600 });
}

/** Whether a shell can set a variable of this name. */
export function isShellName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}
