/**
 * Builds dist/ from src/: the command line as a few small files with everything in them, packages included.
 *
 * Every file of dist lies in `dist/cli/`, as deep as the sources do, so that what is found from a file's own place
 * (`package.json`, `demo/`, `bin/`) is found from both. Why it is built like this: docs/adr/0005.
 */
import { build, type Metafile, type Plugin } from 'esbuild';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
rmSync('dist', { recursive: true, force: true });
// What Node compiled for the tests before (test/support/beginnings.ts, scripts/test.ts).
for (const name of ['czar-compiled', 'czar-tests'])
  rmSync(`node_modules/.cache/${name}`, { recursive: true, force: true });

/** Built-in modules that every process has loaded before its first line runs. */
const loaded = new Set(['buffer', 'events', 'fs', 'path', 'timers', 'url', 'util']);

/**
 * Built-in modules as objects that take from the real one when something is asked of them: `import` would load each at
 * the start, with everything that any of its names needs. The real module stands behind as a prototype, since esbuild
 * copies own names one by one.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup(bundle) {
    bundle.onResolve({ filter: /^(?:node:.*|buffer|process)$/ }, ({ path }) => ({
      path: path.replace(/^node:/, ''),
      namespace: 'builtin',
    }));
    bundle.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => {
      const real = `process.getBuiltinModule('node:${path}')`;
      const lazy = `new Proxy({}, { get: (_, name) => ${real}[name] })`;
      const contents =
        path === 'process'
          ? 'module.exports = process;'
          : `module.exports = Object.create(${loaded.has(path) ? real : lazy});`;
      return { contents, loader: 'js' };
    });
  },
};

/** The quick verbs are a file of their own, whole, since each further file takes half a millisecond. */
const apart: Plugin = {
  name: 'apart',
  setup(bundle) {
    bundle.onResolve({ filter: /^\.\/look\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './look.js', external: true } : undefined,
    );
  },
};

const options = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  outdir: 'dist/cli',
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
} as const;

const made = await Promise.all([
  build({
    ...options,
    entryPoints: ['src/cli/main.ts'],
    splitting: true,
    chunkNames: '[name]-[hash]',
    plugins: [apart, builtins],
  }),
  build({ ...options, entryPoints: ['src/cli/look.ts'], plugins: [builtins] }),
  // They live as long as an agent, beside each one: small, and whole from their start.
  build({
    ...options,
    entryPoints: { acp: 'src/bridge/main.ts', meter: 'src/wire/main.ts' },
    plugins: [builtins],
    sourcemap: false,
  }),
]);
writeFileSync('dist/LICENSES.txt', licenses(made.map(({ metafile }) => metafile)));

/** The licences of the packages that went in, which ask to be passed on. */
function licenses(metafiles: readonly Metafile[]): string {
  const inputs = metafiles.flatMap(({ inputs: files }) => Object.keys(files));
  const folders = inputs.flatMap(
    (file) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? [],
  );
  return [...new Set(folders)]
    .sort()
    .map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      if (file === undefined) throw new Error(`${folder} has no licence to pass on`);
      return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}
