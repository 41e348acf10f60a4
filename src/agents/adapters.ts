/** The adapters by their names. */
import type { AdapterName } from '../core/plan.ts';
import type { Adapter } from './adapter.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';
import { command } from './command.ts';

/** Those that can be used. */
export const adapters: Readonly<Record<AdapterName, Adapter>> = { command, claude, codex };
