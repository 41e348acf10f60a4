/** What holds where no layer of the configuration says anything. Keys that are not here are not set then. */
import { usualCommands } from '../core/permissions.ts';
import { defaultProcesses } from '../core/attempt-limits.ts';
import { defaultProtect } from '../core/protect.ts';

/** The defaults, as they would stand in a `config.yaml`. */
export const configDefaults = {
  max_parallel: 4,
  max_parallel_checks: 2,
  merge_queue: 'serial',
  max_rework: 3,
  flaky: { retries: 0 },
  review: 'none',
  stagger: '200ms',
  barrier: 'none',
  ownership: 'serialize',
  aging: '10m',
  checks: [],
  setup: [],
  protect: defaultProtect,
  push: false,
  isolation: 'clone',
  agents: { default: 'claude' },
  permissions: 'work',
  allow: usualCommands,
  retry: { max_attempts: 2, backoff: 'exponential', initial: '5s', max: '5m', from: 'clean' },
  retention: { runs: 20, outputs: '30d', kept: 'never' },
  approve: false,
  if_unanswered: 'wait',
  on_stall: 'wait',
  limits: { processes: defaultProcesses, memory: 'none' },
  unattended: '15m',
  check_timeout: '30m',
  grace: '10s',
  home: 'user',
  meter: false,
  home_files: [],
  redact: [],
  max_file_size: '10MB',
  max_work_size: '1GB',
} as const;
