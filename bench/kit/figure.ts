/** What a benchmark gives: figures as ratios against something that ran beside it, in the same minutes. */

export interface Figure {
  /** What was measured, in a few words. */
  readonly name: string;
  /** Ours, with its unit. */
  readonly ours: string;
  /** What ran beside it, with its figure and unit. */
  readonly beside: string;
  /** Ours divided by the other, or the difference in the unit of `goal`. */
  readonly value: number;
  /** What the value should stay below (`most`) or reach (`least`); none for context. */
  readonly goal?: { readonly most: number } | { readonly least: number };
  /** Unit of `value`; a bare ratio when left out. */
  readonly unit?: string;
}

export interface Section {
  readonly title: string;
  /** One paragraph of Markdown: what runs, against what, how often. */
  readonly method: string;
  readonly figures: readonly Figure[];
}

export interface BenchOptions {
  /** An empty folder of this benchmark's own, removed afterwards. */
  readonly scratch: string;
  /** Fewer rounds and smaller sizes, to see whether it runs at all. */
  readonly quick: boolean;
  /** Tells how far it is, on standard error. */
  readonly say: (line: string) => void;
}

export type Benchmark = (options: BenchOptions) => Promise<Section>;

/** The middle value. Throws when there is none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  const next = sorted[Math.ceil((sorted.length - 1) / 2)];
  if (middle === undefined || next === undefined) throw new Error('there is no median of nothing');
  return (middle + next) / 2;
}

/** Whether the figure meets its goal; null when it has none. */
export function meets({ value, goal }: Figure): boolean | null {
  if (goal === undefined) return null;
  return 'most' in goal ? value <= goal.most : value >= goal.least;
}
