import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { redactor, secretsIn } from './redact.ts';

const value = 'sk-live-4f9/+"x\\y2kQ';
const redact = redactor(secretsIn({ MY_API_KEY: value }));

test('a value gives way to the name of its variable, in every form in which it is printed', () => {
  assert.equal(redact(`key=${value}; again ${value}`), 'key=[MY_API_KEY]; again [MY_API_KEY]');
  const line = JSON.stringify({ type: 'text', text: `it is ${value}` });
  assert.deepEqual(JSON.parse(redact(line)), { type: 'text', text: 'it is [MY_API_KEY]' });
  assert.equal(redact(`?k=${encodeURIComponent(value)}&x`), '?k=[MY_API_KEY]&x');
  assert.equal(redact(Buffer.from(value).toString('base64')), '[MY_API_KEY]');
  assert.equal(redact('nothing here'), 'nothing here');
});

test('secrets are told by their names, by passwords in addresses, and by what is named', () => {
  const env = {
    GITHUB_TOKEN: 'ghp_0123456789',
    CLAUDE_CODE_OAUTH_TOKEN: 'oauth-abcdefgh',
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI',
    'npm_config_//registry/:_authToken': 'npm_tokenvalue',
    HTTPS_PROXY: 'http://me:pass-of-mine@proxy:8080',
    PLAIN: 'only-this-one',
    PIN: '4711',
    // Not secrets: a place, an identity, a word too short to be one, a number, a switch.
    SSH_AUTH_SOCK: '/run/user/1000/ssh-agent',
    GOOGLE_API_KEY: '/home/me/key.json',
    AUTHOR: 'somebody-else',
    KEYBOARD: 'qwertyuiop',
    DB_PASSWORD: 'short',
    MAX_TOKENS: '12345678',
    HOME: '/home/somebody',
  };
  const found = secretsIn(env, ['PLAIN', 'PIN']).map((one) => `${one.name} ${one.value}`);
  assert.deepEqual(found, [
    'GITHUB_TOKEN ghp_0123456789',
    'CLAUDE_CODE_OAUTH_TOKEN oauth-abcdefgh',
    'AWS_SECRET_ACCESS_KEY wJalrXUtnFEMI',
    'npm_config_//registry/:_authToken npm_tokenvalue',
    'HTTPS_PROXY pass-of-mine',
    'PLAIN only-this-one',
    'PIN 4711',
  ]);
});

test('of a value of several lines each line is taken out, as texts are read by lines', () => {
  const key =
    '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----';
  const clean = redactor(secretsIn({ DEPLOY_PRIVATE_KEY: key }));
  assert.equal(clean('kqhkiG9w0BAQEF'), '[DEPLOY_PRIVATE_KEY]');
  assert.equal(clean(`it is ${key}.`), 'it is [DEPLOY_PRIVATE_KEY].');
});

test('where a text was cut, the part of a value that is left goes too', () => {
  assert.equal(redact(`it is ${value.slice(0, 9)}…`), 'it is [MY_API_KEY]…');
  assert.equal(redact(`…${value.slice(-9)} was it`), '…[MY_API_KEY] was it');
  const long = `${'x'.repeat(150_000)}${value.slice(0, 12)}`;
  assert.ok(redact(long).endsWith('x[MY_API_KEY]'));
  // A short beginning that a word may have by chance stays.
  assert.equal(redact('the sk-…'), 'the sk-…');
});

test('whatever the values are, none of them is left in any text, and JSON stays JSON', () => {
  const secret = fc.string({ minLength: 8, maxLength: 40 }).filter((one) => one === one.trim());
  fc.assert(
    fc.property(fc.array(secret, { minLength: 1, maxLength: 4 }), fc.string(), (values, text) => {
      const env = Object.fromEntries(values.map((one, n) => [`TOKEN_${n}`, one]));
      const secrets = secretsIn(env, Object.keys(env));
      const clean = redactor(secrets);
      // The name of a variable may hold what another's value is.
      const names = Object.keys(env).map((name) => `[${name}]`);
      const telling = secrets.filter(({ value: one }) => !names.some((name) => name.includes(one)));
      const made = clean(text + values.join(text));
      const rest = names.reduce((left, name) => left.replaceAll(name, '\u0000'), made);
      for (const { value: one } of telling) assert.ok(!rest.includes(one), made);
      JSON.parse(clean(JSON.stringify({ text: values.join(text) })));
    }),
  );
});
