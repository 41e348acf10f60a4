/**
 * A report as one HTML file that needs nothing else: no script, no font, no picture, nothing fetched, and a policy in it
 * that allows none of that. What workers and agents wrote stays text.
 */
import { oneLine } from './cells.ts';
import type { Block, Page } from './page.ts';

/** The file. */
export function pageHtml(page: Page): string {
  const notes = page.notes.map((note) => `<p class="note">${escaped(note)}</p>`);
  const sections = page.sections.map(
    ({ title, blocks }) =>
      `<section>\n<h2>${escaped(title)}</h2>\n${blocks.map(html).join('\n')}\n</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(page.title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(page.title)}</h1>
${[...notes, ...sections].join('\n')}
</main>
</body>
</html>
`;
}

function html(block: Block): string {
  switch (block.kind) {
    case 'text':
      return `<p>${escaped(block.text)}</p>`;
    case 'list':
      return `<ul>\n${block.items.map((item) => `<li>${escaped(item)}</li>`).join('\n')}\n</ul>`;
    case 'facts':
      return `<dl>\n${block.rows
        .map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`)
        .join('\n')}\n</dl>`;
    case 'table': {
      const { head, rows, foot, figures = [] } = block;
      const cells = (row: readonly string[], tag: 'td' | 'th'): string =>
        `<tr>${row
          .map((cell, column) => {
            const shape = figures.includes(column) ? ' class="figure"' : '';
            return `<${tag}${shape}>${escaped(cell)}</${tag}>`;
          })
          .join('')}</tr>`;
      const body = rows.map((row) => cells(row, 'td')).join('\n');
      const sums = foot === undefined ? '' : `\n<tfoot>${cells(foot, 'td')}</tfoot>`;
      return `<div class="wide"><table>\n<thead>${cells(head, 'th')}</thead>\n<tbody>\n${body}\n</tbody>${sums}\n</table></div>`;
    }
  }
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --back: #fff; --tint: #f6f8fa; --mark: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #30363d; --back: #0d1117; --tint: #161b22; --mark: #d29922; } }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
p, li, dd { overflow-wrap: anywhere; }
.note { margin: .4rem 0; padding: .5rem .8rem; border-left: 3px solid var(--mark); background: var(--tint); }
ul { padding-left: 1.3rem; margin: .5rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: .5rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
.wide { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; min-width: 100%; font-size: .93em; }
th, td { text-align: left; padding: .35rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; background: var(--tint); }
td.figure, th.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tfoot td { font-weight: 600; border-bottom: 0; border-top: 2px solid var(--line); }
`;
