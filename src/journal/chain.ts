/**
 * The hash chain over the log: each event's hash covers the one before it and every stored column, so that a changed,
 * removed, inserted or reordered event shows. It detects damage and edits by hand; it is no signature.
 */
import { hash } from 'node:crypto';
import type { StoredEvent } from './codec.ts';

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
  return hash('sha256', `${previous}\n${envelope}\n${row.data}`);
}

/** What verifying the chain found: where the log ends, or what is wrong with it in a sentence. */
export type ChainCheck =
  | { readonly ok: true; readonly seq: number; readonly hash: string }
  | { readonly ok: false; readonly problem: string };
