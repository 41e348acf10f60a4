import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gitFailure } from './git.ts';

test('a call that failed is named by its command, whatever settings stand before it', () => {
  const result = { code: 128, stdout: Buffer.alloc(0), stderr: 'fatal: no', trouble: null };
  const args = ['-c', 'core.logAllRefUpdates=false', '-c', 'fetch.prune=false', 'fetch', '-q'];
  assert.equal(gitFailure(args, result).message, 'git fetch: exit code 128: fatal: no');
});
