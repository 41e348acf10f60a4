import assert from 'node:assert/strict';
import test from 'node:test';
import { codexEndpoint } from './codex-endpoint.ts';
import { detourOf } from './endpoints.ts';

const addresses = {
  secret: (n: number) => `http://127.0.0.1:1/token/${n}`,
  open: (n: number) => `http://127.0.0.1:1/${n}`,
};
const names = [
  'ANTHROPIC_BASE_URL',
  'OPENAI_BASE_URL',
  'OPENCODE_CONFIG_CONTENT',
  'GOOGLE_GEMINI_BASE_URL',
];

function detour(env: NodeJS.ProcessEnv, given = names, codex = codexEndpoint('', '')) {
  const { endpoints, lead } = detourOf({ env, names: given, codex });
  return { endpoints: endpoints.map(String), ...lead(addresses) };
}

test('an agent that is given an endpoint, or a key for the usual one, is led past; others are left alone', () => {
  const env = {
    ANTHROPIC_BASE_URL: 'https://gateway.example/anthropic',
    GEMINI_API_KEY: 'x',
    OPENAI_BASE_URL: 'not an address',
    OPENAI_API_KEY: 'x',
  };
  assert.deepEqual(detour(env, names, null), {
    endpoints: ['https://gateway.example/anthropic', 'https://generativelanguage.googleapis.com/'],
    variables: {
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:1/token/0',
      GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:1/token/1',
    },
    args: [],
  });
  // A login of its own knows where it goes.
  assert.deepEqual(detour({}, names, null).endpoints, []);
  const vertex = { GEMINI_API_KEY: 'x', GOOGLE_GENAI_USE_VERTEXAI: 'true' };
  assert.deepEqual(detour(vertex, names, null).endpoints, []);
  // A file of the agent's may name another address than the usual one.
  assert.deepEqual(detour({ OPENAI_API_KEY: 'x' }, names, null).endpoints, []);
  assert.deepEqual(detour(env, ['OTHER'], null).endpoints, []);
});

test('of OpenCode the providers of its configuration are led, with everything else in it', () => {
  const mine = { npm: 'x', options: { baseURL: 'http://127.0.0.1:9/v1', apiKey: 'k' }, models: {} };
  const config = { provider: { mine, other: {} }, model: 'mine/m' };
  const found = detour(
    { OPENCODE_CONFIG_CONTENT: JSON.stringify(config), ANTHROPIC_API_KEY: 'k' },
    ['OPENCODE_CONFIG_CONTENT'],
    null,
  );
  assert.deepEqual(found.endpoints, ['http://127.0.0.1:9/v1']);
  assert.deepEqual(JSON.parse(found.variables['OPENCODE_CONFIG_CONTENT'] ?? ''), {
    provider: {
      mine: { ...mine, options: { baseURL: 'http://127.0.0.1:1/token/0', apiKey: 'k' } },
      other: {},
    },
    model: 'mine/m',
  });
  const broken = { OPENCODE_CONFIG_CONTENT: '[]' };
  assert.deepEqual(detour(broken, ['OPENCODE_CONFIG_CONTENT'], null).variables, {});
});

test('of Codex the provider of its configuration is led, by arguments that hold no secret where there is a way', () => {
  const config = `# mine
model_provider = "gate" # this one
[model_providers."gate"]
name = 'x'
base_url = 'https://gate.example/v1'
[model_providers.other]
base_url = "https://other.example"
`;
  const own = codexEndpoint(config, '{"tokens": {}}');
  assert.deepEqual(own, { provider: 'gate', url: 'https://gate.example/v1' });
  assert.deepEqual(detour({}, [], own).args, [
    '-c',
    'model_providers.gate.base_url="http://127.0.0.1:1/0"',
    '-c',
    'model_providers.gate.env_http_headers.x-czar-meter="CZAR_METER_TOKEN"',
  ]);
  const acp = { CODEX_CONFIG: '{"allow_login_shell":false}' };
  assert.deepEqual(JSON.parse(detour(acp, [], own).variables['CODEX_CONFIG'] ?? ''), {
    allow_login_shell: false,
    model_providers: { gate: { base_url: 'http://127.0.0.1:1/token/0' } },
  });
});

test('without a provider Codex is led to its own, unless its login is one of ChatGPT', () => {
  const usual = { provider: null, url: 'https://api.openai.com/v1' };
  assert.deepEqual(codexEndpoint('', ''), usual);
  assert.deepEqual(codexEndpoint('', '{"OPENAI_API_KEY": "k", "tokens": null}'), usual);
  assert.equal(codexEndpoint('', '{"OPENAI_API_KEY": null, "tokens": {"id_token": "x"}}'), null);
  assert.equal(codexEndpoint('model_provider = "gone"', ''), null);
  const odd = '[model_providers."a.b"]\nbase_url = "https://x.example"';
  assert.equal(codexEndpoint(odd, '', 'a.b'), null);
  assert.deepEqual(codexEndpoint('model_provider = "gone"', '', 'openai'), usual);
  const given = codexEndpoint('openai_base_url = "https://eu.example/v1"', '{"tokens": {}}');
  assert.deepEqual(given, { provider: null, url: 'https://eu.example/v1' });
  assert.deepEqual(detour({}, [], given).args, [
    '-c',
    'openai_base_url="http://127.0.0.1:1/token/0"',
  ]);
});
