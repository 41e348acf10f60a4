/** How an agent's program starts the server of czar's tools for its attempt. Pure. */
import { join } from 'node:path';
import type { AttemptPlaces } from './environment.ts';

/** What the tools stand under. */
export const serverName = 'czar';

/** Command, arguments and environment of the server; it is bound to the attempt by its report file. */
export function toolServer(
  { binDir, run, worker, attempt, reportFile }: AttemptPlaces,
  { permissions }: { readonly permissions: boolean },
): {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  return {
    command: join(binDir, 'czar'),
    args: ['mcp', ...(permissions ? ['--permissions'] : [])],
    env: {
      CZAR_RUN: run,
      CZAR_WORKER: worker,
      CZAR_ATTEMPT: String(attempt),
      CZAR_REPORT_FILE: reportFile,
    },
  };
}
