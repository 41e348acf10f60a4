/**
 * How a program inside an attempt (a server of tools, a bridge) asks whether the agent may do something, and waits. What
 * the policy settles is settled here and needs nobody; the rest goes into the attempt's report file, which nobody has to
 * listen to at that moment, and the answer comes as a file.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { nobodyDecided } from '../core/asks.ts';
import type { PermissionRequest } from '../core/events.ts';
import { permit, requestText } from '../core/permissions.ts';
import type { Permissions } from '../core/plan.ts';
import { awaitAnswer, claimId, type Answer } from '../process/answer-file.ts';
import { appendReport, parseObject } from '../process/report-file.ts';

/** What an attempt is told of its permissions, in `permissions.json` of its folder. */
export interface AttemptPermissions extends Permissions {
  /** Its working tree, absolute. */
  readonly tree: string;
  /** When a request that nobody settles is denied, milliseconds; 0 where nobody can be asked. */
  readonly afterMs: number;
}

export interface AskOptions {
  /** The attempt's folder, absolute. */
  readonly attemptDir: string;
  readonly permissions: AttemptPermissions;
  /** The agent waits no longer. */
  readonly signal?: AbortSignal;
  /** Denials that the policy settles are told by the agent itself: they are not to be recorded twice. */
  readonly tellsDenials?: boolean;
}

/** How much longer than the loop a program waits before it gives up by itself: nobody may be there to answer. */
const longerMs = 60_000;

/** Whether the agent may, and what it is told; waits for a person when the policy does not say it. */
export async function askPermission(
  request: PermissionRequest,
  options: AskOptions,
): Promise<Answer> {
  const { attemptDir, permissions, signal, tellsDenials = false } = options;
  const report = join(attemptDir, 'report');
  const settled = permit(permissions, withRealPath(request, permissions.tree), permissions);
  if (settled === 'allow') return { decision: 'allow', text: null };
  if (settled === 'deny' || permissions.afterMs === 0) {
    if (!tellsDenials)
      appendReport(report, { kind: 'denied', tool: request.kind, detail: requestText(request) });
    return { decision: 'deny', text: 'This is not allowed here. Find another way.' };
  }
  const id = claimId(attemptDir, 'p');
  appendReport(report, { kind: 'permission', id, request });
  const forMs = permissions.afterMs + longerMs;
  const answer = await awaitAnswer(attemptDir, id, { forMs, signal });
  if (answer !== null) return answer;
  appendReport(report, { kind: 'gave-up', id });
  return { decision: 'deny', text: nobodyDecided };
}

/** What the attempt may do, as its launch wrote it; null when that cannot be read. */
export function permissionsIn(attemptDir: string): AttemptPermissions | null {
  let text: string;
  try {
    text = readFileSync(join(attemptDir, 'permissions.json'), 'utf8');
  } catch {
    return null;
  }
  const { policy, allow, tree, afterMs } = parseObject(text) ?? {};
  if (policy !== 'read' && policy !== 'edit' && policy !== 'work' && policy !== 'full') return null;
  if (typeof tree !== 'string' || typeof afterMs !== 'number' || !Array.isArray(allow)) return null;
  return { policy, allow: allow.filter((one) => typeof one === 'string'), tree, afterMs };
}

/** A link is judged by where it leads; of what is not there yet, the folder that is. */
function withRealPath(request: PermissionRequest, tree: string): PermissionRequest {
  if (request.path === undefined || request.kind === 'fetch') return request;
  const path = resolve(tree, request.path);
  return { ...request, path: real(path) };
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(real(parent), basename(path));
  }
}
