/**
 * The hash chain over the log: each event's hash covers the one before it and every stored column, so that a changed,
 * removed, inserted or reordered event shows. It detects damage and edits by hand; it is no signature.
 */
import { createHash, hash } from 'node:crypto';
import type { StoredEvent } from './codec.ts';
import { utf8Pieces } from './utf8-pieces.ts';

/** Hash that the first event is chained to. */
export const genesis = '0'.repeat(64);

/** Hash of an event, 64 hex digits, given the hash of the event before it. */
export function chainHash(previous: string, row: StoredEvent): string {
  const envelope = JSON.stringify([
    row.v,
    row.seq,
    row.at,
    row.run,
    row.worker,
    row.attempt,
    row.type,
  ]);
  const before = `${previous}\n${envelope}\n`;
  if (row.data.length < longText) return hash('sha256', before + row.data);
  const whole = createHash('sha256').update(before);
  for (const piece of utf8Pieces(row.data)) whole.update(piece);
  return whole.digest('hex');
}

/** Texts from this length on, such as a plan of thousands of workers, are hashed in pieces; in one call others take less time. */
const longText = 65_536;

/** What verifying the chain found: where the log ends, or what is wrong with it in a sentence. */
export type ChainCheck =
  | { readonly ok: true; readonly seq: number; readonly hash: string }
  | { readonly ok: false; readonly problem: string };
