/**
 * `czar demo`: a whole run in a scratch repository. Nothing of it is staged: after the repository is made, the verbs
 * `run` and `status` do what they do everywhere.
 */
import { resolve } from 'node:path';
import { commandName, integrationBranches, makeScratch, treeOf } from '../../daemon/demo.ts';
import { exits, type ExitCode } from '../exit.ts';
import type { CliContext, Verb } from '../verb.ts';

const introduction = [
  'Seven workers turn raw notes into checked documents, in a scratch repository.',
  'Their agents are scripted: a shell script, no model, no API key. czar, git and the checks are real.',
  'One attempt fails on purpose and is retried; one worker leaves a file uncommitted.',
  '',
];

export const verb: Verb = {
  define: (command, context) => {
    command
      .option('--keep <dir>', 'put the repository there instead of into a temporary folder')
      .action(async ({ keep }: { keep?: string }) => demo(keep ?? null, context));
  },
};

async function demo(keep: string | null, context: CliContext): Promise<void> {
  const { out } = context;
  const scratch = await makeScratch(keep === null ? null : resolve(context.cwd, keep));
  if (!scratch.ok) {
    context.fail({
      exit: exits.refused,
      what: 'the scratch repository cannot be made',
      where: scratch.error,
    });
    return;
  }
  const { dir } = scratch;
  if (context.options.json) {
    context.exit(await call(['run', '--repo', dir, '--json'], context));
    return;
  }
  for (const line of introduction) out.line(line);
  out.line({ text: `$ cd ${dir} && czar run`, style: 'bold' });
  const code = await call(['run', '--repo', dir], context);

  out.line();
  out.line({ text: '$ czar status', style: 'bold' });
  await call(['status', '--repo', dir], context);

  const branch = (await integrationBranches(dir)).at(-1);
  if (branch !== undefined) {
    out.line();
    out.line({ text: `$ git ls-tree -r --name-only ${branch}`, style: 'bold' });
    for (const path of await treeOf(dir, branch)) out.line(path);
  }
  lookAround(dir, branch ?? null, context);
  context.exit(code);
}

function lookAround(dir: string, branch: string | null, { out, env }: CliContext): void {
  const czar = commandName(env['PATH'] ?? '');
  out.line();
  out.line({ text: 'Look around:', style: 'bold' });
  out.table(
    [
      [`cd ${dir}`, ''],
      [`${czar} events`, 'everything that happened, in order'],
      [`${czar} why templates`, 'one sentence on a worker'],
      [`${czar} logs testing`, 'what its agent printed'],
      [`${czar} diff security`, 'what it changed, with the file that was committed for it'],
      [`${czar} kept list`, 'what the failed attempt left'],
      ...(branch === null ? [] : [[`git log --graph --oneline ${branch}`, 'the merges']]),
      [`${czar} land`, 'bring it to main'],
      [`rm -rf ${dir}`, 'remove the scratch repository'],
    ],
    { indent: 2 },
  );
}

async function call(argv: readonly string[], { options }: CliContext): Promise<ExitCode> {
  // Loaded here: the command line loads this verb, and is whole by now.
  const { runCli } = await import('../program.ts');
  return runCli(options.quiet ? [...argv, '--quiet'] : argv);
}
