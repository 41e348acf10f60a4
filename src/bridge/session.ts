/** A session of an agent: a new one, or one that goes on; in the mode and with the model that it is to have. */
import { methods, type ClientContext, type McpServer } from '@agentclientprotocol/sdk';
import type { Profile } from '../agents/acp-profiles.ts';
import { objectIn, objectsIn, textIn, type Json } from '../agents/json-lines.ts';
import { refusal, wantsLogin, type Outcome } from './outcome.ts';
import type { Print } from './lines.ts';

/** Asks the agent something that may take only so long. */
export type Ask = <T>(what: Promise<T>) => Promise<T>;

export interface SessionOptions {
  readonly agent: ClientContext;
  readonly profile: Profile;
  readonly policy: 'read' | 'edit' | 'work' | 'full';
  /** Its answer to the greeting. */
  readonly greeting: Json;
  readonly cwd: string;
  readonly mcpServers: McpServer[];
  /** Session to go on with; null for a new one. */
  readonly resume: string | null;
  /** Null for what it is set up with. */
  readonly model: string | null;
  /** Its standing instructions; null for none. */
  readonly standing: string | null;
  readonly env: NodeJS.ProcessEnv;
  readonly ask: Ask;
  readonly print: Print;
}

/** An open session; `goesOn` when it knows what was before. */
export interface Opened {
  readonly id: string;
  readonly goesOn: boolean;
}

/** Opens it. A session that cannot go on is told, and a new one opened. */
export async function openSession(options: SessionOptions): Promise<Opened | Outcome> {
  const { print, resume } = options;
  try {
    const kept = resume === null ? null : await takeUp(options, resume);
    const { id, how, state } = kept ?? (await begin(options));
    if (id === '') return refusal('session', 'it told no id of its session');
    print({ type: 'session', id, how });
    const wrong = (await setMode(options, id, state)) ?? (await setModel(options, id, state));
    return wrong ?? { id, goesOn: kept !== null };
  } catch (error) {
    return refusal('session', error);
  }
}

interface Begun {
  readonly id: string;
  readonly how: 'new' | 'goes on';
  /** Its modes and options. */
  readonly state: Json;
}

async function begin(options: SessionOptions): Promise<Begun> {
  const { agent, cwd, mcpServers, ask } = options;
  const open = async (): Promise<Json> => ({
    ...(await ask(
      agent.request(methods.agent.session.new, { cwd, mcpServers, ...standingOf(options) }),
    )),
  });
  let state: Json;
  try {
    state = await open();
  } catch (error) {
    const method = wantsLogin(error) ? loginWithoutPerson(options) : null;
    if (method === null) throw error;
    await ask(agent.request(methods.agent.authenticate, { methodId: method }));
    state = await open();
  }
  return { id: textIn(state, 'sessionId') ?? '', how: 'new', state };
}

function standingOf({ profile, standing }: SessionOptions) {
  return standing === null || profile.standing === null
    ? {}
    : { _meta: { ...profile.standing(standing) } };
}

/** A way to log in that needs nothing but a key that is there; null without one. */
function loginWithoutPerson({ profile, greeting, env }: SessionOptions): string | null {
  const offered = objectsIn(greeting, 'authMethods').map((method) => textIn(method, 'id'));
  const found = profile.logins.find(
    ({ method, variable }) => offered.includes(method) && (env[variable] ?? '') !== '',
  );
  return found?.method ?? null;
}

/** Goes on with the session; null when it cannot. */
async function takeUp(options: SessionOptions, session: string): Promise<Begun | null> {
  const { agent, profile, cwd, mcpServers, ask, print } = options;
  if (profile.resume === 'none') return null;
  const asked = { sessionId: session, cwd, mcpServers, ...standingOf(options) };
  const { resume, load } = methods.agent.session;
  try {
    const state =
      profile.resume === 'session/resume'
        ? await ask(agent.request(resume, asked))
        : await ask(agent.request(load, asked));
    return { id: session, how: 'goes on', state: { ...(state as object | undefined) } };
  } catch (error) {
    const why = refusal('session', error);
    const message = why.kind === 'failed' ? why.message : 'no reason told';
    print({ type: 'trouble', message: `its session cannot go on, a new one begins: ${message}` });
    return null;
  }
}

/** Sets the mode of the policy; what is wrong, or null. */
async function setMode(
  { agent, profile, policy, ask, print }: SessionOptions,
  sessionId: string,
  state: Json,
): Promise<Outcome | null> {
  const modes = objectIn(state, 'modes');
  const current = textIn(modes, 'currentModeId');
  const offered = objectsIn(modes, 'availableModes').map((mode) => textIn(mode, 'id'));
  const wanted = [profile.mode[policy], profile.mode.work];
  const mode = wanted.find((one) => one !== null && offered.includes(one)) ?? null;
  if (mode === null) {
    const careless = current !== null && /bypass|yolo|full.?access/i.test(current);
    if (policy === 'full' || (!careless && profile.mode[policy] === null)) return null;
    const has = offered.length === 0 ? 'none' : offered.join(', ');
    return failed('mode', `it has no mode for the permissions ${policy}: it has ${has}`);
  }
  if (mode === current) return null;
  try {
    await ask(agent.request(methods.agent.session.setMode, { sessionId, modeId: mode }));
    print({ type: 'mode', id: mode });
    return null;
  } catch (error) {
    return refusal('mode', error);
  }
}

/** Sets the model where the protocol does; what is wrong, or null. */
async function setModel(
  { agent, profile, model, ask }: SessionOptions,
  sessionId: string,
  state: Json,
): Promise<Outcome | null> {
  if (model === null || profile.model !== null) return null;
  const option = objectsIn(state, 'configOptions').find(
    (one) => textIn(one, 'category') === 'model',
  );
  const configId = textIn(option ?? {}, 'id');
  try {
    if (configId !== null) {
      const asked = { sessionId, configId, value: model };
      await ask(agent.request(methods.agent.session.setConfigOption, asked));
    } else if (objectsIn(objectIn(state, 'models'), 'availableModels').length > 0) {
      await ask(agent.request('session/set_model', { sessionId, modelId: model }));
    } else return failed('model', `it does not let its model be chosen: ${model} was asked for`);
    return null;
  } catch (error) {
    const { message } = { message: '', ...refusal('model', error) };
    return failed('model', `it does not take the model ${model}: ${message}`);
  }
}

function failed(at: 'mode' | 'model', message: string): Outcome {
  return { kind: 'failed', at, message, status: null, final: true };
}
