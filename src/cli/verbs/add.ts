/** `czar add "TEXT"`: a new worker from a sentence; a live run takes it in. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { liveRun } from '../../daemon/views/read.ts';
import { addWorker, type AddOptions } from '../add-worker.ts';
import { configSources } from '../config-sources.ts';
import { findPlace } from '../find-place.ts';
import { isObstructed } from '../obstacle.ts';
import { steer } from '../steering.ts';
import type { CliContext, Verb } from '../verb.ts';

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
  const id = addWorker(context, place, options);
  if (id === null) return;
  const file = `${place.home.name}/workers/${id}.md`;
  if (live === null) {
    if (context.options.json) context.out.json({ v: 1, id, file, run: null });
    else context.out.line(file);
    context.out.note('next: czar run');
    return;
  }
  const sources = configSources(context);
  if (!(await steer(context, (run) => ({ kind: 'amend', run, sources }), null))) {
    rmSync(join(place.root, file), { force: true });
    return;
  }
  if (context.options.json) context.out.json({ v: 1, id, file, run: live });
  else context.out.line(file);
  context.out.note(`It is part of run ${live} now.`);
}
