/** What strangers wrote stays text in every format of a report. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageHtml } from './page-html.ts';
import { pageMarkdown } from './page-markdown.ts';
import { pageText } from './page-text.ts';
import type { Page } from './page.ts';

const hostile = '<img src=x onerror=alert(1)> | **a** [b](c) `d` \u001b[31m& "e"\n# f';

const page: Page = {
  title: hostile,
  notes: [hostile],
  sections: [
    {
      title: hostile,
      blocks: [
        { kind: 'text', text: hostile },
        { kind: 'list', items: [hostile, '1. one', '- two', '# three', 'a_b _c_'] },
        { kind: 'facts', rows: [[hostile, hostile]] },
        {
          kind: 'table',
          head: ['name', 'sum'],
          rows: [
            [hostile, '7'],
            ['-', '1,000'],
          ],
          foot: ['all', '1,007'],
          figures: [1],
        },
      ],
    },
  ],
};

test('html: nothing of it becomes markup, and the file asks for nothing', () => {
  const html = pageHtml(page);
  assert.doesNotMatch(html, /<img|<script|href|https?:/);
  assert.match(html, /&lt;img src=x onerror=alert\(1\)&gt; \| \*\*a\*\*/);
  assert.match(html, /&quot;e&quot; # f/);
  assert.doesNotMatch(html, /\u001b/);
  assert.match(html, /default-src 'none'/);
  assert.match(html, /<td class="figure">1,000<\/td>/);
});

test('markdown: no emphasis, link, code, cell, heading or list item comes of it', () => {
  const lines = pageMarkdown(page).split('\n');
  const escaped =
    '&lt;img src=x onerror=alert(1)&gt; \\| \\*\\*a\\*\\* \\[b\\](c) \\`d\\` &amp; "e" # f';
  assert.equal(lines[0], `# ${escaped}`);
  assert.ok(lines.includes(`| ${escaped} | 7 |`));
  assert.ok(lines.includes('- 1\\. one'));
  assert.ok(lines.includes('- \\- two'));
  assert.ok(lines.includes('- \\# three'));
  assert.ok(lines.includes('- a_b \\_c\\_'));
  assert.ok(lines.includes('| - | 1,000 |'));
  assert.ok(lines.includes('| **all** | **1,007** |'));
});

test('text: fits the width, figures stand below each other, nothing steers the terminal', () => {
  const lines = pageText(page, 60);
  assert.ok(
    lines.every((line) => line.length <= 60 || !line.includes(' ')),
    lines.join('\n'),
  );
  assert.ok(lines.every((line) => !line.includes('\u001b')));
  const [seven, thousand] = ['7', '1,000'].map((end) => lines.find((line) => line.endsWith(end)));
  assert.equal(seven?.length, thousand?.length);
});
