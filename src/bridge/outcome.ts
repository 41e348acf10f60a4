/** What became of a conversation, and what is wrong when it did not go well. */
import { objectIn, textIn } from '../agents/json-lines.ts';

/** Where it was. */
export type Stage = 'start' | 'initialize' | 'session' | 'mode' | 'model' | 'prompt';

export type Outcome =
  | { readonly kind: 'end'; readonly stop: string }
  | {
      readonly kind: 'failed';
      readonly at: Stage;
      readonly message: string;
      /** Status of HTTP that it came from; null when it is not told. */
      readonly status: number | null;
      /** Whether a repeat cannot mend it. */
      readonly final: boolean;
    };

/** What an agent answered instead of what it was asked for. */
export function refusal(at: Stage, error: unknown): Outcome {
  const said = typeof error === 'object' && error !== null ? { ...error } : {};
  const data = objectIn(said, 'data');
  const told = error instanceof Error ? error.message : String(error);
  const details = textIn(data, 'details') ?? textIn(data, 'message');
  const inner = textIn(objectIn(parsed(told), 'error'), 'message');
  const code = 'code' in said && typeof said.code === 'number' ? said.code : null;
  const message = details ?? inner ?? told.replace(/^Internal error: /, '');
  return {
    kind: 'failed',
    at,
    message,
    status: statusOf(code, textIn(data, 'errorKind'), message),
    final: code === authRequired,
  };
}

/** What the protocol answers when nobody is logged in. */
export const authRequired = -32000;

/** Whether it wants a login first. */
export function wantsLogin(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === authRequired;
}

function statusOf(code: number | null, kind: string | null, message: string): number | null {
  if (code === authRequired) return 401;
  if (code !== null && code >= 400 && code < 600) return code;
  if (kind === 'rate_limit') return 429;
  const [, first] = /^(?:API Error: )?\(?([45]\d\d)\b/.exec(message) ?? [];
  return first === undefined ? null : Number(first);
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
