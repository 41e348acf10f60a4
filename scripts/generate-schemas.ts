// Writes schema/*.schema.json from the schemas that the code itself uses. With --check nothing is written: a file that
// is not current is named, and the exit code is 1.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import * as z from 'zod';
import { configSchema } from '../src/plan/config-schema.ts';
import {
  addSchema,
  completionSchema,
  configExplainSchema,
  configShowSchema,
  configValidateSchema,
  daemonLogsSchema,
  daemonRestartSchema,
  daemonStartSchema,
  daemonStopSchema,
  doneSchema,
  errorSchema,
  initSchema,
  logsSchema,
  pathSchema,
  planDiffSchema,
  reportFileSchema,
  uninstallSchema,
  validateSchema,
  whySchema,
  workerNewSchema,
} from '../src/report/answer-schemas.ts';
import { agentTrialSchema } from '../src/report/agent-trial-schema.ts';
import { agentsSchema } from '../src/report/agents-schema.ts';
import {
  branchesSchema,
  cleanupSchema,
  createWorktreeSchema,
  worktreesSchema,
} from '../src/report/branches-schema.ts';
import { closeoutSchema } from '../src/report/closeout-schema.ts';
import { conflictsSchema } from '../src/report/conflicts-schema.ts';
import { gateSchema } from '../src/report/gates-schema.ts';
import { integrationSchema } from '../src/report/integration-schema.ts';
import { inboxChangeSchema, inboxSchema } from '../src/report/inbox-schema.ts';
import { metricsSchema } from '../src/report/metrics-schema.ts';
import {
  planGraphSchema,
  planSchema,
  planWavesSchema,
  workerShowSchema,
} from '../src/report/plan-schema.ts';
import { reviewSchema } from '../src/report/review-schema.ts';
import { resourcesSchema } from '../src/report/resources-schema.ts';
import { dailySchema, weeklySchema } from '../src/report/standup-schema.ts';
import { statusSchema, workerStatusSchema } from '../src/report/status-schema.ts';
import {
  keptDropSchema,
  keptListSchema,
  keptRestoreSchema,
  keptShowSchema,
} from '../src/report/kept-schemas.ts';
import {
  budgetDocumentSchema,
  daemonStatusSchema,
  diffSchema,
  doctorSchema,
  eventSchema,
  landSchema,
  pruneSchema,
  syncSchema,
  worktreeMergeSchema,
} from '../src/report/verb-schemas.ts';
import { workerFileSchema } from '../src/plan/worker-schema.ts';

interface Published {
  readonly name: string;
  readonly title: string;
  readonly schema: z.ZodType;
}

const published: readonly Published[] = [
  { name: 'worker', title: 'YAML of a czar worker file', schema: workerFileSchema },
  { name: 'config', title: 'config.yaml of a czar home', schema: configSchema },
  { name: 'status', title: 'czar status --json', schema: statusSchema },
  { name: 'inbox', title: 'czar inbox --json', schema: inboxSchema },
  {
    name: 'inbox-change',
    title: 'a line of czar inbox --watch --json',
    schema: inboxChangeSchema,
  },
  { name: 'agents', title: 'czar agents --json', schema: agentsSchema },
  { name: 'agent-trial', title: 'czar agents test NAME --json', schema: agentTrialSchema },
  { name: 'resources', title: 'czar resources --json', schema: resourcesSchema },
  { name: 'review', title: 'czar review WORKER --json', schema: reviewSchema },
  { name: 'metrics', title: 'czar metrics --json', schema: metricsSchema },
  { name: 'daily', title: 'czar report daily --json', schema: dailySchema },
  { name: 'weekly', title: 'czar report weekly --json', schema: weeklySchema },
  { name: 'closeout', title: 'czar closeout --json', schema: closeoutSchema },
  { name: 'gate', title: 'czar gate WORKER --json', schema: gateSchema },
  { name: 'conflicts', title: 'czar conflicts --json', schema: conflictsSchema },
  {
    name: 'integration',
    title: 'czar check integration --json',
    schema: integrationSchema,
  },
  { name: 'worktrees', title: 'czar worktree list --json', schema: worktreesSchema },
  { name: 'worktree-cleanup', title: 'czar worktree cleanup --json', schema: cleanupSchema },
  {
    name: 'create-worktree',
    title: 'czar create-worktree WORKER --json',
    schema: createWorktreeSchema,
  },
  { name: 'branches', title: 'czar branch status --json', schema: branchesSchema },
  { name: 'plan', title: 'czar plan show --json', schema: planSchema },
  { name: 'plan-waves', title: 'czar plan waves --json', schema: planWavesSchema },
  { name: 'plan-graph', title: 'czar plan graph --json', schema: planGraphSchema },
  { name: 'worker-show', title: 'czar worker show WORKER --json', schema: workerShowSchema },
  { name: 'event', title: 'a line of czar events --json', schema: eventSchema },
  { name: 'budget', title: 'czar budget --json', schema: budgetDocumentSchema },
  { name: 'daemon-status', title: 'czar daemon status --json', schema: daemonStatusSchema },
  { name: 'diff', title: 'czar diff WORKER --json', schema: diffSchema },
  { name: 'land', title: 'czar land --json', schema: landSchema },
  { name: 'sync', title: 'czar sync --json', schema: syncSchema },
  { name: 'worktree-merge', title: 'czar worktree merge --json', schema: worktreeMergeSchema },
  { name: 'kept-list', title: 'czar kept list --json', schema: keptListSchema },
  { name: 'kept-show', title: 'czar kept show --json', schema: keptShowSchema },
  { name: 'kept-restore', title: 'czar kept restore --json', schema: keptRestoreSchema },
  { name: 'kept-drop', title: 'czar kept drop --json', schema: keptDropSchema },
  { name: 'prune', title: 'czar prune --json', schema: pruneSchema },
  { name: 'doctor', title: 'czar doctor --json', schema: doctorSchema },
  { name: 'error', title: 'any verb with --json that fails', schema: errorSchema },
  { name: 'done', title: 'verbs that steer, with --json', schema: doneSchema },
  { name: 'validate', title: 'czar validate --json', schema: validateSchema },
  { name: 'config-show', title: 'czar config show --json', schema: configShowSchema },
  { name: 'config-explain', title: 'czar config explain KEY --json', schema: configExplainSchema },
  { name: 'config-validate', title: 'czar config validate --json', schema: configValidateSchema },
  { name: 'init', title: 'czar init --json', schema: initSchema },
  { name: 'worker-new', title: 'czar worker new ID --json', schema: workerNewSchema },
  { name: 'add', title: 'czar add TEXT --json', schema: addSchema },
  { name: 'why', title: 'czar why WORKER --json', schema: whySchema },
  { name: 'path', title: 'czar path WORKER --json', schema: pathSchema },
  { name: 'logs', title: 'a line of czar logs WORKER --json', schema: logsSchema },
  { name: 'plan-diff', title: 'czar plan diff --json', schema: planDiffSchema },
  { name: 'daemon-start', title: 'czar daemon start --json', schema: daemonStartSchema },
  { name: 'daemon-stop', title: 'czar daemon stop --json', schema: daemonStopSchema },
  { name: 'daemon-restart', title: 'czar daemon restart --json', schema: daemonRestartSchema },
  { name: 'daemon-logs', title: 'a line of czar daemon logs --json', schema: daemonLogsSchema },
  { name: 'report-file', title: 'a report with --out FILE --json', schema: reportFileSchema },
  { name: 'completion', title: 'czar completion SHELL --json', schema: completionSchema },
  { name: 'uninstall', title: 'czar uninstall --json', schema: uninstallSchema },
  { name: 'worker-status', title: 'czar status WORKER --json', schema: workerStatusSchema },
];

const check = process.argv.includes('--check');
const folder = fileURLToPath(new URL('../schema/', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const { name, title, schema } of published) {
  const file = `${folder}${name}.schema.json`;
  const json = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
  const text = await format(JSON.stringify({ ...json, title }), {
    parser: 'json',
    printWidth: 100,
  });
  if (!check) writeFileSync(file, text);
  else if (read(file) !== text) {
    console.error(`schema/${name}.schema.json is not current: node scripts/generate-schemas.ts`);
    process.exitCode = 1;
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
