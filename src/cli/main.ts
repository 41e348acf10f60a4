// The command line's entry. `--version` is answered here, before anything else is loaded.
import { readFileSync } from 'node:fs';

if (process.argv[2] === '--version' || process.argv[2] === '-V') {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  process.stdout.write(`${JSON.parse(manifest).version}\n`);
} else {
  const { runCli } = await import('./program.ts');
  process.exitCode = await runCli(process.argv.slice(2));
}
