/** Writing a worker from a sentence, for `add` and `run -m`: what is wrong is printed, what was written is named. */
import { addWorker as write } from '../plan/new-worker.ts';
import type { Home } from '../plan/home.ts';
import { configSources } from './config-sources.ts';
import { exits } from './exit.ts';
import { plural, printDiagnostics } from './plan-files.ts';
import type { CliContext } from './verb.ts';

/** What the worker is told beside the text; lists may be written with commas. */
export interface AddOptions {
  readonly text: string;
  readonly id?: string;
  readonly agent?: string;
  readonly after?: readonly string[];
  readonly owns?: readonly string[];
  readonly verify?: string | readonly string[];
}

/** Writes the worker file and gives the worker's id; null when it was refused, which has been said. */
export function addWorker(
  context: CliContext,
  place: { readonly root: string; readonly home: Home },
  options: AddOptions,
): string | null {
  const { text, id = null, agent = null, after = [], owns = [], verify = [] } = options;
  const written = write(
    { ...place, sources: configSources(context) },
    {
      text,
      id,
      agent,
      after: after.flatMap((ids) => ids.split(',')).map((one) => one.trim()),
      owns,
      verify: typeof verify === 'string' ? [verify] : verify,
    },
  );
  switch (written.kind) {
    case 'exists':
      context.fail({
        exit: exits.refused,
        what: 'the worker exists already',
        where: written.file,
        next: 'name another with --id',
      });
      return null;
    case 'invalid':
      printDiagnostics(context.out.error, written.diagnostics);
      context.fail({ exit: exits.wrong, what: written.message });
      return null;
    case 'written': {
      const { loaded } = written;
      const errors = loaded.diagnostics.filter((one) => one.severity === 'error').length;
      if (errors > 0)
        context.out.note(`the plan has ${plural(errors, 'error')} elsewhere: czar validate`);
      return written.id;
    }
  }
}
