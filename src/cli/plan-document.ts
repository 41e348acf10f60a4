/** A plan and its workers as JSON, in the words of the plan files. */
import { attemptLimitsOf } from '../core/attempt-limits.ts';
import { firstAgent } from '../core/schedule/which-agent.ts';
import { permissionsOf } from '../core/permissions.ts';
import type { Plan, WorkerDefinition } from '../core/plan.ts';
import { tokenForecast, tokenLimit } from '../core/plan.ts';

/** What `plan show --json` prints; `missing` are the agents that are not installed here. */
export function planDocument(plan: Plan, missing: readonly string[]): object {
  const { policies } = plan;
  return {
    name: plan.name,
    revision: plan.revision,
    workers: plan.workers.map((worker) => workerDocument(worker, missing)),
    agents: plan.agents,
    policies: {
      permissions: permissionsOf(plan),
      max_parallel: policies.maxParallel,
      max_parallel_checks: policies.maxParallelChecks,
      barrier: policies.barrier,
      ownership: policies.ownership,
      aging_ms: policies.agingMs,
      checks: policies.checks,
      setup: policies.setup,
      protect: policies.protect,
      unattended_ms: policies.unattendedMs,
      check_timeout_ms: policies.checkTimeoutMs,
      grace_ms: policies.graceMs,
      max_file_bytes: policies.maxFileBytes,
      max_work_bytes: policies.maxWorkBytes ?? null,
      notify: policies.notify ?? [],
      disk_reserve_bytes: policies.diskReserveBytes ?? null,
      resources: Object.fromEntries(
        Object.entries(policies.resources ?? {}).map(([name, one]) => [
          name,
          {
            amount: one.amount,
            requests_per_minute: one.requestsPerMinute,
            tokens_per_minute: one.tokensPerMinute,
          },
        ]),
      ),
    },
    overlaps: plan.overlaps,
  };
}

/** What `worker show --json` prints, and `plan show --json` of each worker. */
export function workerDocument(worker: WorkerDefinition, missing: readonly string[]): object {
  const { budget, retry } = worker;
  return {
    id: worker.id,
    kind: worker.kind,
    role: worker.role,
    mission: worker.mission,
    first_action: worker.firstAction,
    agent: worker.agent,
    fallback: worker.fallback ?? [],
    starts_with: firstAgent(worker, missing),
    model: worker.model,
    branch: worker.branch,
    workspace: worker.workspace,
    dependencies: worker.edges.map(({ allowSkipped, ...edge }) => ({
      ...edge,
      allow_skipped: allowSkipped,
    })),
    budget: budget && {
      tokens: budget.tokens,
      cost_usd: budget.costUsd,
      reality_multiplier: budget.realityMultiplier,
      forecast: tokenForecast(budget),
      limit: tokenLimit(budget),
      on_exceeded: budget.onExceeded,
    },
    review: worker.review ?? null,
    deliverables: worker.deliverables,
    owns: worker.owns,
    references: worker.references,
    tasks: worker.tasks,
    success_criteria: worker.successCriteria,
    verify: worker.verify,
    setup: worker.setup,
    teardown: worker.teardown,
    copy: worker.copy,
    link: worker.link,
    handoff: worker.handoff,
    priority: worker.priority,
    retry: {
      max_attempts: retry.maxAttempts,
      backoff: retry.backoff,
      initial_ms: retry.initialMs,
      max_ms: retry.maxMs,
      from: retry.from,
    },
    timeout_ms: worker.timeoutMs,
    stall_after_ms: worker.stall?.afterMs ?? null,
    on_stall: worker.stall?.restart === true ? 'restart' : 'wait',
    limits: {
      processes: attemptLimitsOf(worker).processes,
      memory_bytes: attemptLimitsOf(worker).memoryBytes,
    },
    when: worker.when,
    labels: worker.labels,
    resources: worker.resources ?? {},
    approve: worker.approve === true,
    if_unanswered: worker.unanswered?.instead ?? 'wait',
    after_ms: worker.unanswered?.afterMs ?? null,
    instructions: worker.instructions,
    source: worker.source,
    hash: worker.hash,
  };
}
