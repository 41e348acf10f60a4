/** Who is told of what, as the configuration writes it. Secrets stand there by the name of their variable alone. */
import * as z from 'zod';
import { noticeTypes, toldByDefault } from '../core/notify.ts';
import type { NotifyTarget } from '../core/plan.ts';
import { quoted } from './diagnostics.ts';
import { id, line, list, listOf } from './fields.ts';
import { nearest } from './nearest.ts';

const ways = ['command', 'webhook', 'desktop'] as const;

const eventType = z
  .string()
  .superRefine((value, context) => {
    const message = typeProblem(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  })
  .meta({ enum: [...noticeTypes] });

const targetSchema = z
  .strictObject({
    command: z
      .array(line.max(10_000))
      .min(1, 'the command needs at least the name of a program')
      .max(200)
      .refine(([program]) => program !== '', 'the command needs the name of a program')
      .optional()
      .meta({
        description:
          'Program and arguments, never through a shell; it gets the event as one line of JSON on its standard input.',
      }),
    webhook: z
      .string()
      .max(2000, 'more than 2000 characters')
      .superRefine((value, context) => {
        const message = urlProblem(value);
        if (message !== null) context.addIssue({ code: 'custom', message });
      })
      .optional()
      .meta({ description: 'URL to which the event is posted as JSON, signed with the secret.' }),
    secret_env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')
      .optional()
      .meta({ description: 'Environment variable that holds the secret of the webhook.' }),
    desktop: z
      .literal(true)
      .optional()
      .meta({ description: 'Shown by notify-send or osascript, where the system has it.' }),
    events: listOf(eventType, 'the type of an event')
      .optional()
      .meta({
        description: `Types of events; default: ${toldByDefault.join(', ')}.`,
      }),
    workers: listOf(id, 'the id of a worker').optional().meta({
      description: 'Only the events of these workers, and those of the run.',
    }),
  })
  .superRefine((target, context) => {
    const message = targetProblem(target);
    if (message !== null) context.addIssue({ code: 'custom', message });
  })
  .meta({ oneOf: ways.map((way) => ({ required: [way] })) });

export const notifySchema = listOf(targetSchema, 'a target such as {command: [program]}');

/** The targets as they are written, their defaults filled in. */
export function notifyOf(
  written: z.infer<typeof notifySchema> | undefined,
): readonly NotifyTarget[] {
  return list(written).flatMap(({ events, workers, ...target }): readonly NotifyTarget[] => {
    const to = channelOf(target);
    if (to === null) return [];
    return [
      {
        to,
        events: events === undefined ? toldByDefault : list(events),
        ...(workers === undefined ? {} : { workers: list(workers) }),
      },
    ];
  });
}

type Way = Pick<z.infer<typeof targetSchema>, 'command' | 'webhook' | 'secret_env' | 'desktop'>;

function channelOf({ command, webhook, secret_env: secret }: Way): NotifyTarget['to'] | null {
  if (command !== undefined) return { kind: 'command', argv: command };
  if (webhook === undefined) return { kind: 'desktop' };
  return secret === undefined ? null : { kind: 'webhook', url: webhook, secretEnv: secret };
}

function targetProblem(target: Way): string | null {
  const named = ways.filter((way) => target[way] !== undefined);
  if (named.length !== 1) return 'a target has one of command, webhook and desktop';
  if (target.webhook !== undefined && target.secret_env === undefined)
    return 'a webhook needs secret_env, the name of the variable that holds its secret';
  if (target.webhook === undefined && target.secret_env !== undefined)
    return 'secret_env belongs to a webhook';
  return null;
}

function typeProblem(text: string): string | null {
  const types: readonly string[] = noticeTypes;
  if (types.includes(text)) return null;
  const near = nearest(text, types);
  const hint = near === null ? `one of ${types.join(', ')}` : `did you mean ${near}?`;
  return `nobody can be told of ${quoted(text)}: ${hint}`;
}

function urlProblem(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return 'expected a URL that begins with https:// or http://';
  if (url.username !== '' || url.password !== '')
    return 'no name and password here: the receiver knows czar by the signature';
  return null;
}
