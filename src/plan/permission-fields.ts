/** What a configuration says of what agents may do. */
import { usualCommands } from '../core/permissions.ts';
import type { Permissions } from '../core/plan.ts';
import { list } from './fields.ts';

/** Null when it says nothing, and the usual holds. */
export function permissionsIn(fields: {
  readonly permissions?: Permissions['policy'] | undefined;
  readonly allow?: string | readonly string[] | undefined;
}): Permissions | null {
  const { permissions, allow } = fields;
  if (permissions === undefined && allow === undefined) return null;
  return {
    policy: permissions ?? 'work',
    allow: allow === undefined ? usualCommands : list(allow),
  };
}
