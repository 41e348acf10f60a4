// Builds dist/ from src/: starts from nothing, compiles, then copies what is not TypeScript.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
rmSync('dist', { recursive: true, force: true });

const compiled = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'],
  { stdio: 'inherit' },
);
if (compiled.status !== 0) process.exit(1);

cpSync('src', 'dist', {
  recursive: true,
  filter: (path) => !/\.tsx?$/.test(path),
});
