/**
 * What an agent writes of a run: prose beside the report's own sentences, from its facts alone. It works in an empty
 * repository in a temporary folder that holds the report, may look and nothing else, and everything of it is gone when
 * this returns. It spends what its agent spends.
 */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { adapters } from '../../agents/adapters.ts';
import {
  attemptFiles,
  lastOutput,
  writeAttemptFiles,
  type AttemptFiles,
} from '../../agents/attempt-files.ts';
import { judgeEnd } from '../../agents/judge-end.ts';
import { proseIn } from '../../agents/review-verdict.ts';
import { closeoutPrompt } from '../../context/closeout-prompt.ts';
import type { AttemptEnd, Judgement } from '../../core/events.ts';
import { readOnly } from '../../core/permissions.ts';
import type { Runners } from '../../process/runners.ts';
import type { CloseoutDocument } from '../../report/closeout-schema.ts';
import { redactorOf } from '../redactions.ts';
import {
  alone,
  inOwnFolder,
  noLimits,
  reportsOf,
  runAlone,
  usageIn,
  type AloneOptions,
} from './run-alone.ts';
import { makeTrialRepository } from './trial-repository.ts';

/** Bytes at the end of its output in which its text is looked for. */
const outputBytes = 1_000_000;

export type Prose =
  | { readonly kind: 'written'; readonly prose: NonNullable<CloseoutDocument['prose']> }
  /** It wrote nothing; why, in a sentence. */
  | { readonly kind: 'none'; readonly reason: string };

/** Lets the agent write about the report. Throws when its folder cannot be made. */
export async function writeProse(
  document: CloseoutDocument,
  options: AloneOptions,
): Promise<Prose> {
  return inOwnFolder('czar-closeout-', (base, runners) =>
    writeIn(base, runners, document, options),
  );
}

async function writeIn(
  base: string,
  runners: Runners,
  document: CloseoutDocument,
  options: AloneOptions,
): Promise<Prose> {
  const { definition, policies } = options;
  const key = randomUUID();
  const tree = join(base, 'tree');
  const files = attemptFiles({ home: base, ...alone });
  await makeTrialRepository(tree);
  await writeFile(join(tree, 'report.json'), `${JSON.stringify(document, null, 2)}\n`);
  const prompt = closeoutPrompt({ run: document.run.id, key });
  writeAttemptFiles({ home: base, files, prompt, permissions: { ...readOnly, tree, afterMs: 0 } });
  const done = await runAlone({ runners, files, tree, prompt, permissions: readOnly }, options);
  if ('failed' in done) return { kind: 'none', reason: done.failed };
  const redact = redactorOf({ policies }, options.env);
  const said = heard(files, options, done.end, key);
  if (typeof said !== 'string') return { kind: 'none', reason: redact(said.reason) };
  const usage = usageIn(await reportsOf(files, definition), definition.name);
  return { kind: 'written', prose: { agent: definition.name, text: redact(said), usage } };
}

function heard(
  files: AttemptFiles,
  { definition }: AloneOptions,
  end: AttemptEnd,
  key: string,
): string | { readonly reason: string } {
  const adapter = adapters[definition.adapter];
  const { judgement } = judgeEnd(adapter, files, { end, limits: noLimits, now: Date.now() });
  if (judgement.kind !== 'well') return { reason: reasonOf(judgement) };
  const shown = lastOutput(files, outputBytes).flatMap(adapter.show).join('\n');
  return proseIn(shown, key) ?? { reason: 'it ended without the text that it was asked for' };
}

function reasonOf(judgement: Exclude<Judgement, { kind: 'well' }>): string {
  return judgement.kind === 'lost' ? judgement.why : judgement.reason;
}
