import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { fingerprintsIn, fingerprintsOf, redactorByFingerprints } from './fingerprints.ts';
import { redactor, type Secret } from './redact.ts';

const secrets: readonly Secret[] = [
  { name: 'MY_KEY', value: 'sk-8d1c/"quoted"-f00d' },
  { name: 'DOOR', value: 'x4711' },
  { name: 'LONG', value: 'x4711-and-more' },
];

function written(of: readonly Secret[]) {
  return fingerprintsIn(JSON.stringify(fingerprintsOf(of, 'salt'))) ?? assert.fail();
}

test('whoever no longer has the values finds what one finds who has them', () => {
  const piece = fc.constantFrom(...secrets.map(({ value }) => value), '-', 'x47', '"', 'words ');
  const byValue = redactor(secrets);
  const byPrint = redactorByFingerprints(written(secrets), []);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      for (const form of [text, JSON.stringify(text), `${text} ${btoa('x4711')}`])
        assert.equal(byPrint(form), byValue(form));
    }),
  );
});

test('those that are found otherwise are not looked for, and the values stand in no fingerprint', () => {
  const prints = written(secrets);
  assert.equal(redactorByFingerprints(prints, secrets)('x4711'), 'x4711');
  for (const { value } of secrets) assert.ok(!JSON.stringify(prints).includes(value));
  assert.equal(new Set(prints.forms.map(({ digest }) => digest)).size, prints.forms.length);
});

test('what is no fingerprints is none', () => {
  for (const text of ['', '[]', '{"salt":1,"forms":[]}', '{"salt":"s"}'])
    assert.equal(fingerprintsIn(text), null, text);
  const odd = fingerprintsIn('{"salt":"s","forms":[1,{"name":"a","length":0}]}');
  assert.deepEqual(odd, { salt: 's', forms: [] });
});
