/** Where secrets are taken out: of what effects tell the loop, of what a person asks, and of what agents are told. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attemptFiles, fingerprintsName } from '../agents/attempt-files.ts';
import {
  fingerprintsIn,
  fingerprintsOf,
  redactorByFingerprints,
  type Fingerprints,
} from '../context/fingerprints.ts';
import { redactor, secretsIn, type Redact } from '../context/redact.ts';
import type { Outcome, Steering } from '../core/commands.ts';
import type { ReviewerSaid } from '../core/events.ts';
import type { Report } from '../core/events.ts';
import type { Plan } from '../core/plan.ts';
import type { Performed } from './loop.ts';

const known = new WeakMap<NodeJS.ProcessEnv, { readonly key: string; readonly redact: Redact }>();

/** What takes the secrets of this environment out of texts, with those that the plan names. */
export function redactorOf({ policies }: Pick<Plan, 'policies'>, env: NodeJS.ProcessEnv): Redact {
  const key = (policies.redact ?? []).join(' ');
  const found = known.get(env);
  if (found?.key === key) return found.redact;
  const redact = redactor(secretsIn(env, policies.redact));
  known.set(env, { key, redact });
  return redact;
}

/** Fingerprints of the secrets of this environment, for whoever reads later what an attempt printed. */
export function secretsNow({ policies }: Pick<Plan, 'policies'>, env: NodeJS.ProcessEnv) {
  const { forms, salt } = fingerprintsOf(secretsIn(env, policies.redact), randomUUID());
  return forms.length === 0 ? {} : { fingerprints: { salt, forms } };
}

/** Takes out of an attempt's output what is secret now, and what was when it began. */
export function outputRedactor(
  { policies }: Pick<Plan, 'policies'>,
  env: NodeJS.ProcessEnv,
  of: {
    readonly home: string;
    readonly run: string;
    readonly worker: string;
    readonly attempt: number;
  },
): Redact {
  const now = redactorOf({ policies }, env);
  let found: Fingerprints | null = null;
  try {
    found = fingerprintsIn(
      readFileSync(join(attemptFiles(of).attemptDir, fingerprintsName), 'utf8'),
    );
  } catch {
    // There were none, or they are pruned as its output is.
  }
  if (found === null) return now;
  const before = redactorByFingerprints(found, secretsIn(env, policies.redact));
  return (text) => before(now(text));
}

/** What an effect came to, without secrets in its texts; paths, refs and ids stay as they are. */
export function redactPerformed(performed: Performed, redact: Redact): Performed {
  if (performed === null) return null;
  if ('kind' in performed) return redactOutcome(performed, redact);
  return performed.map((outcome) => redactOutcome(outcome, redact));
}

/** The outcome without secrets in its texts. */
export function redactOutcome(outcome: Outcome, redact: Redact): Outcome {
  switch (outcome.kind) {
    case 'reports':
      return {
        ...outcome,
        reports: outcome.reports.map((one) => redactReport(one, redact)),
        refused: outcome.refused.map(redact),
      };
    case 'attempt-ended':
      return {
        ...outcome,
        end: redactTexts(outcome.end, redact),
        judgement: redactTexts(outcome.judgement, redact),
        lastWords: outcome.lastWords.map(redact),
      };
    case 'setup-failed':
      return { ...outcome, findings: outcome.findings.map(redact) };
    case 'launch-failed':
    case 'effect-failed':
      return { ...outcome, error: redact(outcome.error) };
    case 'collected':
      return outcome.notes === undefined
        ? outcome
        : { ...outcome, notes: outcome.notes.map(redact) };
    case 'torn-down': {
      const failures = outcome.failures.map((one) => withFindings(one, redact));
      return { ...outcome, failures };
    }
    case 'judged': {
      const { verdicts, resolved, ...rest } = outcome;
      return {
        ...rest,
        verdicts: verdicts.map((one) => withFindings(one, redact)),
        ...(resolved === undefined ? {} : { resolved: withoutSecrets(resolved, redact) }),
      };
    }
    case 'checked':
      return { ...outcome, verdicts: outcome.verdicts.map((one) => withFindings(one, redact)) };
    case 'merge-conflict':
      return { ...outcome, messages: outcome.messages.map(redact) };
    case 'reviewed':
      return { ...outcome, said: redactSaid(outcome.said, redact) };
    case 'landing-refused':
      return { ...outcome, reason: redact(outcome.reason) };
    case 'loop-started':
    case 'loop-ended':
    case 'tick':
    case 'machine-observed':
    case 'pruned':
    case 'run-prepared':
    case 'inputs-checked':
    case 'tree-prepared':
    case 'tree-made':
    case 'tree-removed':
    case 'setup-passed':
    case 'launched':
    case 'answer-delivered':
    case 'stalled':
    case 'over-limit':
    case 'merge-built':
    case 'merge-committed':
    case 'merge-lost':
    case 'published':
    case 'pushed':
    case 'landing-built':
    case 'landed':
      return outcome;
  }
}

function redactSaid(said: ReviewerSaid, redact: Redact): ReviewerSaid {
  const told = redactTexts(said, redact);
  if (told.kind === 'none') return told;
  return { ...told, findings: told.findings.map((one) => ({ ...one, text: redact(one.text) })) };
}

function redactReport(report: Report, redact: Redact): Report {
  const said = redactTexts(report, redact);
  return said.kind === 'permission'
    ? { ...said, request: redactTexts(said.request, redact) }
    : said;
}

/** What a person asks, without secrets in its words. */
export function redactSteering(steering: Steering, env: NodeJS.ProcessEnv): Steering {
  const redact = redactor(secretsIn(env));
  if (steering.kind === 'review') {
    const findings = steering.findings.map((one) => ({ ...one, text: redact(one.text) }));
    return { ...steering, text: redact(steering.text), findings };
  }
  if (steering.kind === 'send-back') {
    const remarks = steering.remarks.map((one) => ({ ...one, text: redact(one.text) }));
    return { ...steering, remarks };
  }
  if (steering.kind === 'answer' || steering.kind === 'tell')
    return { ...steering, text: redact(steering.text) };
  if ((steering.kind === 'retry' || steering.kind === 'unblock') && steering.note !== null)
    return { ...steering, note: redact(steering.note) };
  if (steering.kind === 'deny' && steering.why !== null)
    return { ...steering, why: redact(steering.why) };
  return steering;
}

function withFindings<T extends { readonly findings: readonly string[] }>(
  verdict: T,
  redact: Redact,
): T {
  return { ...verdict, findings: verdict.findings.map(redact) };
}

/** Names of what says which one it is, and nothing else. */
const names: ReadonlySet<string> = new Set(['kind', 'id', 'how', 'result']);

/** The value with every text of it redacted, but for names. */
export function redactTexts<T extends object>(value: T, redact: Redact): T {
  const changed = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && !names.has(entry[0]),
  );
  return {
    ...value,
    ...Object.fromEntries(changed.map(([name, text]) => [name, redact(text)])),
  };
}

function withoutSecrets(
  { onto, removed }: NonNullable<Extract<Outcome, { kind: 'judged' }>['resolved']>,
  redact: (text: string) => string,
): NonNullable<Extract<Outcome, { kind: 'judged' }>['resolved']> {
  return { onto, removed: removed.map((one) => ({ ...one, lines: one.lines.map(redact) })) };
}
