/**
 * The verbs that look at a run, and the one by which agents report: typed most, so they start quickest. Everything here
 * becomes one file of the build, without commander, zod and yaml.
 */
import type { ExitCode } from './exit.ts';
import { openSession } from './context.ts';
import { globalOptions } from './global-options.ts';
import { plainWords } from './plain-words.ts';
import type { PlainVerb, RawVerb } from './verb.ts';
import { verb as emit } from './verbs/emit.ts';
import { verb as events } from './verbs/events.ts';
import { verb as logs } from './verbs/logs.ts';
import { verb as path } from './verbs/path.ts';
import { verb as status } from './verbs/status.ts';
import { verb as why } from './verbs/why.ts';

const verbs: Readonly<Record<string, PlainVerb | RawVerb>> = {
  status,
  events,
  why,
  logs,
  path,
  emit,
};

/** Does what the arguments ask and gives the exit code; null, and nothing done, when they are not plain. */
export async function look(argv: readonly string[]): Promise<ExitCode | null> {
  const understood = plainWords(argv, verbs);
  if (understood === null) return null;
  const session = openSession(argv, { direct: true });
  const { context } = session;
  try {
    if (understood.kind === 'raw') await understood.verb.raw(understood.rest, context);
    else {
      session.use(globalOptions(understood.globals));
      await understood.verb.act(context, understood.given);
    }
  } catch (error) {
    session.broke(error);
  }
  return session.code();
}
