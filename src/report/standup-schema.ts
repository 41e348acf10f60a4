/** The documents of `czar report daily|weekly --json`, version 1: shipped in `schema/`. Days are days in UTC. */
import * as z from 'zod';
import { states } from '../core/lifecycle.ts';

const count = z.int().min(0);
const time = z.iso.datetime({ precision: 3 });
const day = z.iso.date();

const finished = z.strictObject({
  run: z.string(),
  worker: z.string(),
  at: time,
  duration_ms: count,
  tokens: z.number().min(0),
});

const active = z.strictObject({
  run: z.string(),
  worker: z.string(),
  state: z.enum(states),
  since: time,
  tasks: z.strictObject({ completed: count, total: count }),
  percent: z.number().nullable().describe('tasks completed, of all; null when it has no tasks'),
  latest: z.string().nullable(),
});

const blocked = z.strictObject({
  run: z.string(),
  worker: z.string(),
  state: z.enum(states),
  blocker: z.string().describe('the worker that it waits for, else what it waits for'),
  reason: z.string(),
  next: z.string().nullable().describe('the command that settles it'),
});

const ready = z.strictObject({
  run: z.string(),
  worker: z.string(),
  waiting_for: z.string().nullable(),
});

const pending = z.strictObject({
  run: z.string(),
  worker: z.string(),
  waiting_on: z.array(z.string()),
});

/** `czar report daily --json`. */
export const dailySchema = z.strictObject({
  v: z.literal(1),
  date: day,
  at: time.describe('the moment that active, blocked, ready and pending are of'),
  runs: z.array(z.string()).describe('runs that went on on this day or the day before'),
  completed_yesterday: z.array(finished),
  completed_today: z.array(finished),
  active: z.array(active),
  blocked: z.array(blocked),
  ready: z.array(ready),
  pending: z.array(pending),
});

/** `czar report weekly --json`. */
export const weeklySchema = z.strictObject({
  v: z.literal(1),
  week: day.describe('its Monday'),
  at: time.describe('the moment that it is told of'),
  runs: z.array(z.string()).describe('runs that went on in this week'),
  completed: z.array(finished),
  active: z.array(active),
  starting_next: z.array(
    z.strictObject({
      run: z.string(),
      worker: z.string(),
      state: z.enum(states),
      waiting_on: z.array(z.string()),
    }),
  ),
  metrics: z.strictObject({
    tokens: z.number().min(0).describe('of these runs'),
    budget: z.number().nullable().describe('what their workers were planned to use'),
    budgeted_tokens: z.number().min(0).describe('used by those for whom something was planned'),
    tokens_percent: z.number().nullable().describe('of what was planned, used by those'),
    cost_usd: z.number().min(0),
    workers: count,
    workers_complete: count,
    workers_percent: z.number().nullable(),
  }),
  risks: z.array(z.string()),
  blockers: z.array(blocked),
  next: z.array(z.string()).describe('what is to be done in the week after'),
});

export type DailyDocument = z.infer<typeof dailySchema>;
export type WeeklyDocument = z.infer<typeof weeklySchema>;
