/** Branches that the remote did not take and that a person wants pushed: once more each, by the loop that lives. */
import type { Intent } from '../core/intents.ts';

export class AskedPushes {
  readonly #due: () => void;
  readonly #refs = new Map<string, readonly string[]>();

  /** `due` is called when there is something to push. */
  constructor(due: () => void) {
    this.#due = due;
  }

  /** Full names of branches, by run. */
  get refs(): ReadonlyMap<string, readonly string[]> {
    return this.#refs;
  }

  ask(run: string, refs: readonly string[]): void {
    if (refs.length === 0) return;
    this.#refs.set(run, refs);
    this.#due();
  }

  /** What a push under way did not hold yet stays asked for. */
  tried({ run, refs }: Extract<Intent, { kind: 'push' }>): void {
    const open = (this.#refs.get(run) ?? []).filter((ref) => !(ref in refs));
    if (open.length === 0) this.#refs.delete(run);
    else this.#refs.set(run, open);
  }
}
