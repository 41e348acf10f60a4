/** `czar add "TEXT"`: a new worker from a sentence. */
import { addWorker } from '../plan/new-worker.ts';
import { exits } from './exit.ts';
import { liveRun } from './live-run.ts';
import { openPlace, plural, printDiagnostics } from './plan-files.ts';
import type { CliContext, Verb } from './verb.ts';

interface AddOptions {
  readonly id?: string;
  readonly agent?: string;
  readonly after: readonly string[];
  readonly owns: readonly string[];
  readonly verify: readonly string[];
}

export const verb: Verb = {
  define: (command, context) => {
    const many = (value: string, before: readonly string[]): readonly string[] => [
      ...before,
      value,
    ];
    const ids = (value: string, before: readonly string[]): readonly string[] => [
      ...before,
      ...value.split(',').map((id) => id.trim()),
    ];
    command
      .argument('<text>', 'what the worker is to do')
      .option('--id <id>', 'its id (default: made from the text)')
      .option('--agent <name>', 'who does it')
      .option('--after <ids>', 'workers that come before, with commas between', ids, [])
      .option('--owns <glob>', 'what it may change (repeatable)', many, [])
      .option('--verify <command>', 'a command that checks the work (repeatable)', many, [])
      .action(async (text: string, options: AddOptions) => await add(text, options, context));
  },
};

async function add(text: string, options: AddOptions, context: CliContext): Promise<void> {
  const place = openPlace(context);
  if (place === null) return;
  const live = await liveRun(place);
  if (live !== null) {
    const what = `the run ${live} is live and keeps the plan that it started with`;
    return context.fail({
      exit: exits.refused,
      what,
      next: `add it when ${live} has ended, or czar cancel --run ${live}`,
    });
  }
  const { id = null, agent = null, after, owns, verify } = options;
  const written = addWorker(place.root, place.home, { text, id, agent, after, owns, verify });
  switch (written.kind) {
    case 'exists':
      return context.fail({
        exit: exits.refused,
        what: 'the worker exists already',
        where: written.file,
        next: 'name another with --id',
      });
    case 'invalid':
      printDiagnostics(context.out.error, written.diagnostics);
      return context.fail({ exit: exits.wrong, what: written.message });
    case 'written': {
      if (context.options.json) context.out.json({ v: 1, id: written.id, file: written.file });
      else context.out.line(written.file);
      const { loaded } = written;
      const errors = loaded.diagnostics.filter((one) => one.severity === 'error').length;
      if (errors > 0)
        context.out.note(`the plan has ${plural(errors, 'error')} elsewhere: czar validate`);
      for (const note of loaded.notes) context.out.note({ text: 'note: ', style: 'cyan' }, note);
      return context.out.note('next: czar run');
    }
  }
}
