import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { choose, confirm } from './confirm.ts';

test('only yes is a yes', async () => {
  for (const [typed, expected] of [
    ['y\n', true],
    [' YES \n', true],
    ['\n', false],
    ['yesterday\n', false],
    ['', false],
  ] as const) {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const answer = confirm('Cancel?', { input, output });
    input.end(typed);
    assert.equal(await answer, expected, JSON.stringify(typed));
    assert.match(String(output.read()), /^Cancel\? \[y\/N\] /);
  }
});

test('a choice is one of the words or its first letter, and anything else is none', async () => {
  for (const [typed, expected] of [
    ['submit\n', 'submit'],
    [' R \n', 'resume'],
    ['\n', null],
    ['res\n', null],
    ['', null],
  ] as const) {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const answer = choose('What?', ['submit', 'resume', 'leave'], { input, output });
    input.end(typed);
    assert.equal(await answer, expected, JSON.stringify(typed));
    assert.match(String(output.read()), /^What\? \[submit\/resume\/leave\] /);
  }
});
