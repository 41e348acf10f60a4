/** What verbs answer that change something, that fail, or that tell one thing: version 1, shipped in `schema/`. */
import { z } from 'zod';

const v = z.literal(1);
const count = z.int().min(0);
const texts = z.array(z.string());
const text = z.string().nullable();

/** Any verb with `--json` that fails. */
export const errorSchema = z.strictObject({
  v,
  error: z.strictObject({
    code: z.int().min(1).describe('the exit code'),
    what: z.string(),
    where: text,
    next: text.describe('what to do'),
  }),
});

/** Verbs that steer: `retry`, `skip`, `approve`, `budget --add`, … */
export const doneSchema = z.strictObject({
  v,
  ok: z.literal(true),
  done: z.string(),
  next: text.describe('what it takes for it to go on'),
});

const diagnostics = z.array(
  z.strictObject({
    severity: z.enum(['error', 'warning']),
    file: z.string(),
    line: count.describe('from 1'),
    column: count.describe('from 1, in UTF-16 units'),
    length: count,
    message: z.string(),
    hint: text,
    excerpt: text.describe('the line as it stands'),
  }),
);
const verdict = { v, valid: z.boolean(), errors: count, warnings: count, diagnostics };

/** `czar validate --json`. */
export const validateSchema = z.strictObject({ ...verdict, workers: count, notes: texts });

/** `czar config validate --json`. */
export const configValidateSchema = z.strictObject({
  ...verdict,
  layers: texts.describe('what was read, the weakest first'),
});

const origin = z.strictObject({
  kind: z.enum(['default', 'user', 'project', 'environment', 'variable', 'flag']),
  file: z.string().optional(),
  line: count.optional(),
  name: z.string().optional().describe('of the variable or flag'),
  text: z.string(),
});

/** `czar config show --json`. */
export const configShowSchema = z.strictObject({
  v,
  settings: z.array(
    z.strictObject({ key: z.string(), value: z.json(), origin, acted_on: z.boolean() }),
  ),
});

/** `czar config explain KEY --json`. */
export const configExplainSchema = z.strictObject({
  v,
  key: z.string(),
  meaning: z.string(),
  variable: text,
  value: z.json(),
  layers: z.array(z.strictObject({ value: z.json(), origin })).describe('the weakest first'),
  acted_on: z.boolean(),
});

/** `czar init --json`. */
export const initSchema = z.strictObject({
  v,
  home: z.string(),
  made: texts,
  kept: texts.describe('what was there'),
  agents: texts,
  setup: texts,
  checks: texts,
});

/** `czar worker new ID --json`. */
export const workerNewSchema = z.strictObject({ v, id: z.string(), file: z.string() });

/** `czar add TEXT --json`. */
export const addSchema = z.strictObject({
  v,
  id: z.string(),
  file: z.string(),
  run: text.describe('the live run that it joined'),
});

/** `czar why WORKER --json`. */
export const whySchema = z.strictObject({
  v,
  worker: z.string(),
  state: z.string(),
  why: z.string(),
  next: text,
});

/** `czar path WORKER --json`. */
export const pathSchema = z.strictObject({ v, worker: z.string(), path: z.string(), branch: text });

/** A line of `czar logs WORKER --json`. */
export const logsSchema = z.strictObject({
  v,
  run: z.string(),
  worker: z.string(),
  attempt: count,
  stream: z.enum(['output', 'errors']),
  text: z.string(),
});

/** `czar plan diff --json`. */
export const planDiffSchema = z.strictObject({
  v,
  run: z.string(),
  differences: texts,
  limits: texts.describe('what holds without an amendment'),
});

/** `czar daemon start --json`. */
export const daemonStartSchema = z.strictObject({
  v,
  pid: count.nullable().describe('null when none is needed'),
  run: text,
  started: z.boolean().describe('whether the run is a new one'),
  attached: z.boolean().describe('whether the daemon lived before'),
});

/** `czar daemon stop --json`. */
export const daemonStopSchema = z.strictObject({
  v,
  pid: count,
  agents: count.describe('that were at work'),
  until: z.iso.datetime({ precision: 3 }).nullable().describe('when the first of them ends itself'),
  killed: z.boolean().describe('whether it did not answer'),
});

/** `czar daemon restart --json`. */
export const daemonRestartSchema = z.strictObject({ v, pid: count.nullable(), before: count });

/** A line of `czar daemon logs --json`. */
export const daemonLogsSchema = z.strictObject({ v, text: z.string() });

/** A report that was written to a file, with `--out FILE --json`. */
export const reportFileSchema = z.strictObject({ v, file: z.string(), format: z.string() });

/** `czar completion SHELL --json`. */
export const completionSchema = z.strictObject({ v, shell: z.string(), script: z.string() });

/** `czar uninstall --json`. */
export const uninstallSchema = z.strictObject({
  v,
  live_runs: texts,
  unmerged: z.array(z.strictObject({ ref: z.string(), commit: z.string() })),
  trees: texts,
  branches: texts,
  bundle: text.describe('file with what is not merged; null when everything is'),
  aside: text.describe('folder of files that are in no commit'),
  left: texts.describe('what stays, and why'),
});
