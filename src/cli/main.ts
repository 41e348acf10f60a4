/**
 * The command line's entry. Loads no more than is asked for: `--version` nothing at all, the verbs that look at a run
 * one file (`look.ts`), everything else what its verb needs. Built-in modules are taken without `import`, which would
 * evaluate the whole of them.
 */
const argv = process.argv.slice(2);

// What the launcher has set for this process is nothing for those that it starts.
for (const name of (process.env['CZAR_LAUNCHER_SET'] ?? '').split(' '))
  if (name.startsWith('MALLOC_')) delete process.env[name];
delete process.env['CZAR_LAUNCHER_SET'];

if (argv[0] === '--version' || argv[0] === '-V') {
  const { readFileSync, writeSync } = process.getBuiltinModule('node:fs');
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const line = `${JSON.parse(manifest).version}\n`;
  try {
    writeSync(1, line);
  } catch {
    process.stdout.on('error', () => (process.exitCode = 1)).write(line);
  }
} else {
  if (argv.includes('--debug')) process.setSourceMapsEnabled(true);
  keepCompiled(process.env);
  process.exitCode = (await quickly()) ?? (await (await import('./program.ts')).runCli(argv));
}

/** The exit code of a verb that only looks; null for any other, and for what is better left to the whole parser. */
async function quickly(): Promise<number | null> {
  const looks = ['status', 'events', 'why', 'logs', 'path', 'emit'];
  if (!argv.some((word) => looks.includes(word))) return null;
  const { look } = await import('./look.ts');
  return await look(argv);
}

/** Lets Node keep what it compiled in the user's cache folder. Where that cannot be written, nothing is kept. */
function keepCompiled(env: NodeJS.ProcessEnv): void {
  const path = process.getBuiltinModule('node:path');
  const { XDG_CACHE_HOME: cache = '', HOME: home = '' } = env;
  // The XDG specification: a relative value counts as unset.
  const root = path.isAbsolute(cache)
    ? cache
    : path.isAbsolute(home)
      ? path.join(home, '.cache')
      : null;
  if (root === null) return;
  process.getBuiltinModule('node:module').enableCompileCache(path.join(root, 'czar', 'compiled'));
}
