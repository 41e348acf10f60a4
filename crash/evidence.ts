/** What the checker is given besides the repository itself. */
import type { Scratch } from './scratch.ts';

export interface Evidence {
  readonly scratch: Scratch;
  /** Fingerprint of the checkout before the first start. */
  readonly before: ReadonlyMap<string, string>;
  /** Integration tree of an undisturbed run; null when this is that run. */
  readonly tree: string | null;
  /** Whether agents or shims were killed, so that some exits are unknown. */
  readonly agentsKilled: boolean;
}
