/** What `run` and `daemon start` share: their options, what those ask for, and what is said when nothing begins. */
import type { Command } from 'commander';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Refusal, Wanted } from '../daemon/choose-run.ts';
import type { Place } from '../daemon/place.ts';
import { liveRun } from '../daemon/views/read.ts';
import { addWorker } from './add-worker.ts';
import { configSources } from './config-sources.ts';
import { printDiagnostics } from './plan-files.ts';
import type { CliContext } from './verb.ts';

export interface BeginOptions {
  readonly new?: boolean;
  readonly failed?: boolean;
  readonly pinned?: boolean;
  readonly maxParallel?: string;
  readonly barrier?: string;
  readonly amend?: boolean;
  readonly includeDirty?: boolean;
  readonly approve?: boolean;
  readonly message?: string;
  readonly agent?: string;
  readonly verify?: string;
  readonly owns?: string[];
  readonly after?: string[];
}

/** Puts the scope and the options on a command. */
export function defineBeginning(command: Command): Command {
  return command
    .argument('[scope...]', 'workers to run, with those that they depend on; all when left out')
    .option('--new', 'start another run with the files as they are')
    .option('--failed', 'try all failed workers of the last run again')
    .option('--amend', 'take files that have changed into the live run')
    .option('--pinned', 'keep the plan of the run although files have changed')
    .option('--max-parallel <n>', 'agents at the same time, whatever the configuration says')
    .option(
      '--barrier <mode>',
      'wave: a wave waits until the one before is over; none: only for edges',
    )
    .option('--include-dirty', 'let agents see the uncommitted changes of your checkout')
    .option('--approve', 'ask before each launch: czar approve, czar deny')
    .option('-m, --message <text>', 'write a worker file for this text first, then run it')
    .option('--agent <name>', 'with -m: its agent')
    .option('--after <ids...>', 'with -m: what it depends on')
    .option('--owns <globs...>', 'with -m: what it may change')
    .option('--verify <command>', 'with -m: what checks it');
}

/** Which options contradict each other or would have no effect, in one sentence; null when all of them count. */
export function wrongOptions(options: BeginOptions, scope: readonly string[]): string | null {
  const given = (...names: readonly (keyof BeginOptions)[]): string | null => {
    const name = names.find((one) => options[one] !== undefined);
    return name === undefined ? null : `--${name}`;
  };
  const goesOn = given('failed', 'pinned', 'amend');
  if (options.new !== undefined && goesOn !== null)
    return `--new starts another run, ${goesOn} goes on with one`;
  if (options.pinned !== undefined && options.amend !== undefined)
    return '--amend takes the files as they are, --pinned the plan of the run';
  if (options.includeDirty !== undefined && goesOn !== null)
    return `--include-dirty counts when a run starts, ${goesOn} goes on with one`;
  if (options.message === undefined) {
    const about = given('agent', 'after', 'owns', 'verify');
    return about === null ? null : `${about} says something about the worker of -m: it needs -m`;
  }
  if (scope.length > 0) return `-m runs the worker that it writes: ${scope.join(', ')} is too much`;
  const other = given('failed', 'pinned');
  return other === null ? null : `-m adds to a run or starts one, ${other} goes on with one`;
}

/** What is asked for, and what takes back what was written for it when nothing begins. */
export interface Asking {
  readonly wanted: Wanted;
  readonly undo: () => void;
}

/** What the options ask for; with `-m` the worker file is written. Null when that was refused, which has been said. */
export async function askingFor(
  context: CliContext,
  place: Place,
  scope: readonly string[],
  options: BeginOptions,
): Promise<Asking | null> {
  const wanted: Wanted = {
    run: context.options.run,
    scope,
    new: options.new === true,
    failed: options.failed === true,
    changes: options.pinned === true ? 'pinned' : options.amend === true ? 'amend' : null,
    includeDirty: options.includeDirty === true,
    approve: options.approve === true,
    sources: configSources(context, [
      ...(options.maxParallel === undefined ? [] : [`max_parallel=${options.maxParallel}`]),
      ...(options.barrier === undefined ? [] : [`barrier=${options.barrier}`]),
    ]),
  };
  if (options.message === undefined) return { wanted, undo: () => {} };
  const live = (await liveRun(place)) !== null;
  const id = addWorker(context, place, { ...options, text: options.message });
  if (id === null) return null;
  return {
    wanted: {
      ...wanted,
      scope: [id],
      new: wanted.new || !live,
      changes: live && !wanted.new ? 'amend' : null,
    },
    undo: () => rmSync(join(place.home.path, 'workers', `${id}.md`), { force: true }),
  };
}

/** Whether a person, asked, takes the changed files into the run: only where that is what is in the way. */
export async function settlesChanges(
  context: CliContext,
  differences: readonly string[],
): Promise<boolean> {
  if (differences.length === 0) return false;
  if (!context.options.yes && !context.canAsk) return false;
  context.out.note('The plan files are not those of the run any more:');
  for (const one of differences) context.out.note(`  ${one}`);
  return context.options.yes || (await context.confirm('Take them into the run?'));
}

/** Says why nothing begins. */
export function sayRefusal(context: CliContext, refusal: Refusal): void {
  const { exit, what, where, next, differences, diagnostics } = refusal;
  for (const one of differences) context.out.note(`  ${one}`);
  if (diagnostics.length > 0) printDiagnostics(context.out.error, diagnostics);
  context.fail({ exit, what, where, next });
}
