/** Programs named like real agents that print what those really printed, on the PATH of a scratch repository. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Scratch } from './scratch.ts';

const fixtures = join(import.meta.dirname, '../fixtures/agents');

/** File of a recorded stream, such as `claude-2.1.330/commit`. */
export function recordedStream(name: string): string {
  return join(fixtures, `${name}.jsonl`);
}

/**
 * A program of that name which runs the script of a POSIX shell; there `recorded NAME` prints a recorded stream. Asked
 * for its version or login it says what `answers` has.
 */
export function recordedAgent(
  scratch: Scratch,
  name: string,
  script: string,
  answers: { readonly version?: string; readonly login?: string } = {},
): string {
  const bin = join(scratch.base, 'bin');
  mkdirSync(bin, { recursive: true });
  const file = join(bin, name);
  const text = `#!/bin/sh
recorded() { cat '${fixtures}'/"$1".jsonl; }
case "$*" in
--version) ${answers.version ?? 'exit 2'}; exit ;;
'auth status'|'login status') ${answers.login ?? 'exit 2'}; exit ;;
esac
${script}
`;
  writeFileSync(file, text, { mode: 0o755 });
  if (scratch.env['PATH']?.startsWith(bin + delimiter) !== true)
    scratch.env['PATH'] = `${bin}${delimiter}${scratch.env['PATH'] ?? ''}`;
  return file;
}
