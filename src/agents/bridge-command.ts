/** What starts the bridge of an attempt: the Node that runs now, and the bridge's own file of this installation. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export const bridgeCommand: readonly string[] = [
  process.execPath,
  join(root, 'dist', 'cli', 'acp.js'),
];
