/** A report as lines for a terminal. */
import { columns, oneLine, wrap } from './cells.ts';
import type { Block, Page } from './page.ts';

/** The lines; none is wider than `width` cells where that can be. */
export function pageText(page: Page, width: number): readonly string[] {
  return [
    oneLine(page.title),
    ...page.notes.flatMap((note) => wrap(oneLine(note), width)),
    ...page.sections.flatMap(({ title, blocks }) => [
      '',
      oneLine(title).toUpperCase(),
      ...blocks.flatMap((block) => lines(block, width)),
    ]),
  ];
}

function lines(block: Block, width: number): readonly string[] {
  switch (block.kind) {
    case 'text':
      return wrap(`  ${oneLine(block.text)}`, width);
    case 'list':
      return block.items.flatMap((item) => wrap(`  - ${oneLine(item)}`, width));
    case 'facts':
      return columns(
        block.rows.map(([name, value]) => ['', `${oneLine(name)}:`, oneLine(value)]),
        { width, flex: 2 },
      );
    case 'table': {
      const { head, rows, foot, figures = [] } = block;
      const all = [head, ...rows, ...(foot === undefined ? [] : [foot])].map((row) =>
        row.map(oneLine),
      );
      const right = alignedRight(all, figures);
      return columns(
        right.map((row) => ['', ...row]),
        { width, flex: 1 },
      );
    }
  }
}

/** Figures end below each other. */
function alignedRight(
  rows: readonly (readonly string[])[],
  figures: readonly number[],
): readonly (readonly string[])[] {
  return rows.map((row) =>
    row.map((cell, column) => {
      if (!figures.includes(column)) return cell;
      return cell.padStart(Math.max(...rows.map((one) => one[column]?.length ?? 0)));
    }),
  );
}
