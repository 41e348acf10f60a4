/**
 * What a loop says beside its events, for those who follow it from another process: that the log cannot be written, that
 * somebody was not told, that an agent was refused. Nothing of it is kept, but for whether the log can be written, which
 * whoever comes later hears at once.
 */
/** A sentence; one that is told with the time; that the log cannot be written; that it can again. */
export type LoopNotice =
  | { readonly kind: 'note' | 'log'; readonly text: string }
  | { readonly kind: 'stalled'; readonly reason: string; readonly message: string }
  | { readonly kind: 'writable' };

/** Why the log cannot be written. */
export interface StallCause {
  readonly reason: string;
  readonly message: string;
}

type Listener = (notice: LoopNotice) => void;

export class Notices {
  readonly #listeners = new Set<Listener>();
  #stalled: LoopNotice | null = null;

  /** A sentence as it stands. */
  note(text: string): void {
    this.#tell({ kind: 'note', text });
  }

  /** A sentence that is told with the time. */
  log(text: string): void {
    this.#tell({ kind: 'log', text });
  }

  /** The log cannot be written, or (null) can again. */
  stalled(why: StallCause | null): void {
    this.#stalled =
      why === null ? null : { kind: 'stalled', reason: why.reason, message: why.message };
    this.#tell(this.#stalled ?? { kind: 'writable' });
  }

  /** Tells the listener from now on; gives the function that ends it. */
  readonly hear = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    if (this.#stalled !== null) listener(this.#stalled);
    return () => this.#listeners.delete(listener);
  };

  #tell(notice: LoopNotice): void {
    for (const listener of this.#listeners) listener(notice);
  }
}
