/**
 * A report as its parts, whatever it is printed as: text, Markdown or HTML. Strings are plain: each printer escapes them
 * for its own format and takes out what could steer a terminal.
 */

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  /** Names with values. */
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [string, string])[] }
  /** `figures`: columns that hold numbers. `foot` is the row of sums. */
  | {
      readonly kind: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
      readonly foot?: readonly string[];
      readonly figures?: readonly number[];
    };

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export interface Page {
  readonly title: string;
  /** What a reader must know before anything else, each one sentence. */
  readonly notes: readonly string[];
  readonly sections: readonly Section[];
}

/** A list, or a sentence where there is nothing to list. */
export function listOr(items: readonly string[], none: string): Block {
  return items.length === 0 ? { kind: 'text', text: none } : { kind: 'list', items };
}

/** A table, or a sentence where it would have no rows. */
export function tableOr(table: Extract<Block, { kind: 'table' }>, none: string): Block {
  return table.rows.length === 0 ? { kind: 'text', text: none } : table;
}
