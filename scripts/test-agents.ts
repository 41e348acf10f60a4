/**
 * Tests with real agents: installs them from their own manifest (exact versions, with a lockfile), or takes those of the
 * folder that CZAR_LIVE_AGENTS names, and runs `test/live`. They ask a model that the tests bring; nothing is spent.
 *
 *     npm run test:agents [-- --few] [-- --name PATTERN]
 *
 * `--few`: one headless and one that speaks ACP, from one download, and of the tests those that take seconds.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const { values } = parseArgs({
  options: { few: { type: 'boolean', default: false }, name: { type: 'string' } },
});
const few = '^(a plan that mixes|claude-agent-acp: (what it may|cancelled))';
const name = values.name ?? (values.few ? few : undefined);
const given = process.env['CZAR_LIVE_AGENTS'];
const folder = given ?? (values.few ? 'test/live/few' : 'test/live/agents');
if (given === undefined) {
  // Not `ci`, which refuses the lockfile where a registry has not the packages for all platforms; the versions are its.
  const install = [
    'install',
    '--no-save',
    '--prefix',
    folder,
    '--no-audit',
    '--no-fund',
    '--omit=dev',
  ];
  const { status } = spawnSync('npm', install, { stdio: 'inherit', timeout: 600_000 });
  if (status !== 0) {
    console.error(`the agents could not be installed from ${folder} (npm ended with ${status})`);
    process.exit(1);
  }
}
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-concurrency=1',
    '--test-timeout=300000',
    '--test-reporter=./scripts/test-reporter.ts',
    ...(name === undefined ? [] : [`--test-name-pattern=${name}`]),
    'test/live/agents.live.ts',
  ],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      CZAR_LIVE_AGENTS: fileURLToPath(new URL(`../${folder}`, import.meta.url)),
      ...(given === undefined ? {} : { CZAR_LIVE_AGENTS: given }),
      // Some need half a minute to come up on a busy machine.
      CZAR_TEST_PATIENCE_MS: '120000',
    },
  },
);
process.exit(status ?? 1);
