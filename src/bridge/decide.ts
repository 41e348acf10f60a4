/**
 * What becomes of a request for leave: the policy says so, or a person does. What is denied is printed, with the exact
 * command or path.
 */
import type { AttemptPermissions } from '../agents/ask-permission.ts';
import type { PermissionRequest } from '../core/events.ts';
import { permit, requestText, type Permit } from '../core/permissions.ts';
import type { Print } from './lines.ts';
import { isHarmless, requestsOf } from './request.ts';
import type { ToolCall } from './tool-calls.ts';

/** How a request can be answered, as agents offer it. */
export interface Option {
  readonly optionId: string;
  readonly kind: string;
}

/** Asks a person; an abort gives the waiting up. */
export type AskPerson = (
  request: PermissionRequest,
  signal: AbortSignal,
) => Promise<{ readonly decision: 'allow' | 'deny' }>;

export interface DeciderOptions {
  readonly permissions: AttemptPermissions;
  /** Name of the server of czar's own tools; null when it has none. */
  readonly server: string | null;
  readonly ask: AskPerson;
  readonly print: Print;
}

/** The option that is chosen; null when the turn is cancelled meanwhile, or there is none that fits. */
export async function decide(
  call: ToolCall,
  choices: readonly Option[],
  options: DeciderOptions & { readonly signal: AbortSignal },
): Promise<string | null> {
  const { permissions, server, ask, print, signal } = options;
  const requests = isHarmless(call, server) ? [] : requestsOf(call, permissions.tree);
  const asked = requests.map((request) => {
    const found = permit(permissions, request, permissions);
    return { request, permit: found === 'ask' && permissions.afterMs === 0 ? 'deny' : found };
  });
  const worst = asked.find(is('deny')) ?? asked.find(is('ask')) ?? asked[0];
  const policy: Permit = worst?.permit ?? 'allow';
  const about = worst?.request ?? { kind: 'other', title: call.title };
  const tell = (decision: Permit, by: 'answer' | 'policy'): unknown =>
    print({
      type: 'permission',
      id: call.id,
      tool: call.name ?? call.kind,
      about: requestText(about),
      kind: about.kind,
      decision,
      by,
    });
  const asks = policy === 'ask' && worst !== undefined;
  if (asks) tell('ask', 'policy');
  const decision = asks ? (await ask(worst.request, signal)).decision : policy;
  if (signal.aborted) return null;
  tell(decision, asks ? 'answer' : 'policy');
  return optionFor(decision === 'allow', choices, permissions.policy === 'full');
}

function is(wanted: Permit) {
  return ({ permit: found }: { readonly permit: Permit }): boolean => found === wanted;
}

/** Only once, so that the next one is asked for too; for good only where everything is allowed. */
function optionFor(allow: boolean, choices: readonly Option[], all: boolean): string | null {
  const kinds = allow
    ? ['allow_once', ...(all ? ['allow_always'] : [])]
    : ['reject_once', 'reject_always'];
  for (const kind of kinds) {
    const found = choices.find((choice) => choice.kind === kind);
    if (found !== undefined) return found.optionId;
  }
  return null;
}
