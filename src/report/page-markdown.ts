/** A report as Markdown. What workers and agents wrote stays text: nothing of it becomes markup. */
import { oneLine } from './cells.ts';
import type { Block, Page } from './page.ts';

/** The text, ending with a newline. */
export function pageMarkdown(page: Page): string {
  const parts = [
    `# ${escaped(page.title)}`,
    ...page.notes.map((note) => `> ${escaped(note)}`),
    ...page.sections.flatMap(({ title, blocks }) => [
      `## ${escaped(title)}`,
      ...blocks.map(markdown),
    ]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function markdown(block: Block): string {
  switch (block.kind) {
    case 'text':
      return escaped(block.text);
    case 'list':
      return block.items.map((item) => `- ${escaped(item)}`).join('\n');
    case 'facts':
      return block.rows
        .map(([name, value]) => `- **${inline(name)}:** ${inline(value)}`)
        .join('\n');
    case 'table': {
      const { head, rows, foot, figures = [] } = block;
      const rule = head.map((_, column) => (figures.includes(column) ? '---:' : '---'));
      const sums = foot?.map((cell) => (cell === '' ? '' : `**${inline(cell)}**`));
      return [
        row(head.map(inline)),
        row(rule),
        ...rows.map((cells) => row(cells.map(inline))),
        ...(sums === undefined ? [] : [row(sums)]),
      ].join('\n');
    }
  }
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Every character that Markdown or HTML in it gives a meaning, where it has one. */
function escaped(text: string): string {
  return inline(text)
    .replace(/^(?=#{1,6}\s|[-+](?:\s|$)|=+$)/, '\\')
    .replace(/^(\d+)(?=[.)](?:\s|$))/, '$1\\');
}

/** The same where no block can begin. */
function inline(text: string): string {
  return oneLine(text)
    .replace(/[\\`*[\]|~]/g, '\\$&')
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');
}
