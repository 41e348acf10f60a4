/** `czar add "TEXT"`: a new worker from a sentence. */
import { liveRun } from '../daemon/read.ts';
import { addWorker, type AddOptions } from './add-worker.ts';
import { exits } from './exit.ts';
import { findPlace } from './find-place.ts';
import { isObstructed } from './obstacle.ts';
import type { CliContext, Verb } from './verb.ts';

export const verb: Verb = {
  define: (command, context) => {
    const many = (value: string, before: readonly string[]): readonly string[] => [
      ...before,
      value,
    ];
    command
      .argument('<text>', 'what the worker is to do')
      .option('--id <id>', 'its id (default: made from the text)')
      .option('--agent <name>', 'who does it')
      .option(
        '--after <ids>',
        'workers that come before, with commas between (repeatable)',
        many,
        [],
      )
      .option('--owns <glob>', 'what it may change (repeatable)', many, [])
      .option('--verify <command>', 'a command that checks the work (repeatable)', many, [])
      .action(async (text: string, options: Omit<AddOptions, 'text'>) =>
        add({ ...options, text }, context),
      );
  },
};

async function add(options: AddOptions, context: CliContext): Promise<void> {
  const place = findPlace(context);
  if (place === null || isObstructed(context, place, { folders: ['workers'] })) return;
  const live = await liveRun(place);
  if (live !== null) {
    return context.fail({
      exit: exits.refused,
      what: `run ${live} is live and keeps the plan that it started with`,
      next: `add it when the run has ended (czar status), or end it: czar cancel --run ${live}`,
    });
  }
  const id = addWorker(context, place, options);
  if (id === null) return;
  const file = `${place.home.name}/workers/${id}.md`;
  if (context.options.json) context.out.json({ v: 1, id, file });
  else context.out.line(file);
  context.out.note('next: czar run');
}
