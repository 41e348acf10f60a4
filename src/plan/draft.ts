/**
 * A worker as one file says it, before it is seen together with the others: its fields, its dependencies as written,
 * and where each stands.
 */
import type { Range } from './diagnostics.ts';
import type { SourceFile } from './source.ts';
import type { DependencyField, WorkerFields } from './worker-schema.ts';

/** Where something stands. */
export interface At {
  readonly source: SourceFile;
  readonly range: Range;
}

/** A dependency as written: an id, the word `all`, or a phase of a Czarina project. */
export type DraftDependency = { readonly at: At } & (
  | { readonly kind: 'id'; readonly on: string; readonly field: Omit<DependencyField, 'on'> }
  | { readonly kind: 'all'; readonly field: Omit<DependencyField, 'on'> }
  | { readonly kind: 'phase'; readonly phase: number }
);

export type DraftFields = Omit<WorkerFields, 'dependencies' | 'id'>;

export interface WorkerDraft {
  readonly id: string;
  readonly fields: DraftFields;
  /** Null when no dependencies are written at all, which means something else than an empty list. */
  readonly dependencies: readonly DraftDependency[] | null;
  readonly instructions: string;
  /** Phase of a Czarina project. */
  readonly phase: number | null;
  /** Place among the workers of one file. */
  readonly position: number;
  /** File that defines it. */
  readonly source: SourceFile;
  /** Where the definition begins. */
  readonly begin: Range;
  /** Where a field's value (or a part of it) stands; the beginning when it is not written. */
  readonly valueAt: (field: string, ...rest: readonly PropertyKey[]) => At;
  /** Where a field's key stands. */
  readonly keyAt: (field: string) => At;
}
