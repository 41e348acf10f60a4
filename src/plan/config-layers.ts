/**
 * The layers of a configuration, from the weakest to the strongest: the user's file, the project's, one of its
 * `env/NAME.yaml`, environment variables, flags. Each is read and judged alone, so that every problem is named where it
 * stands; `config-merge.ts` lays them over one another. Nothing of the process is read here: what there is to read is
 * an argument.
 */
import type { ConfigSources } from '../core/commands.ts';
import { isAbsolute, join } from 'node:path';
import * as z from 'zod';
import { configKeys, keyAt, keyPath, ownVariables, type KeyPath } from './config-keys.ts';
import { configSchema, type ConfigFields } from './config-schema.ts';
import { quoted, reportFile, type Problems } from './diagnostics.ts';
import { environmentNames } from './environments.ts';
import { nearest } from './nearest.ts';
import { decode } from './shape.ts';
import { readFileAt, readSource, sourceOf, type SourceFile } from './source.ts';
import { parseYaml, type Located } from './yaml-source.ts';

export type { ConfigSources } from '../core/commands.ts';

/** Nothing but the home's own file. */
export const onlyHome: ConfigSources = {
  userFile: null,
  environment: null,
  variables: {},
  flags: [],
};

export type LayerKind = 'user' | 'project' | 'environment' | 'variable' | 'flag';

/** One layer: what holds of it, and where that stands. */
export interface Layer {
  readonly kind: LayerKind;
  readonly source: SourceFile;
  readonly fields: ConfigFields;
  readonly located: Pick<Located, 'keyAt' | 'valueAt'>;
}

/** The user's file by the XDG specification (a relative value counts as unset); null where there is no home folder. */
export function userConfigFile(env: Readonly<Record<string, string | undefined>>): string | null {
  const { XDG_CONFIG_HOME: config = '', HOME: home = '' } = env;
  if (isAbsolute(config)) return join(config, 'czar', 'config.yaml');
  return isAbsolute(home) ? join(home, '.config', 'czar', 'config.yaml') : null;
}

/** Name of the environment that variables ask for; null for none. */
export function environmentOf(env: Readonly<Record<string, string | undefined>>): string | null {
  const name = env['CZAR_ENV'] ?? '';
  return name === '' ? null : name;
}

/** The layers that there are, the weakest first; problems are noted, and what is wrong is left out. */
export function readLayers(
  options: { readonly root: string; readonly home: string; readonly sources: ConfigSources },
  problems: Problems,
): readonly Layer[] {
  const { root, home, sources } = options;
  const user = sources.userFile;
  const files = [
    user === null ? null : fileLayer('user', user, readFileAt(user, user), problems),
    fileLayer('project', `${home}/config.yaml`, readSource(root, `${home}/config.yaml`), problems),
    sources.environment === null ? null : environmentLayer(sources.environment, options, problems),
  ].filter((layer) => layer !== null);
  // Such as the secret of a webhook, or what an agent is given.
  const isNamed = (name: string): boolean => files.some(({ source }) => source.text.includes(name));
  return [
    ...files,
    ...variableLayers(sources.variables, { problems, isNamed }),
    ...sources.flags.map((flag) => flagLayer(flag, problems)),
  ].filter((layer) => layer !== null);
}

function fileLayer(
  kind: LayerKind,
  file: string,
  read: ReturnType<typeof readSource>,
  problems: Problems,
): Layer | null {
  if (read.kind === 'missing') return null;
  if (read.kind === 'problem') {
    reportFile(problems, file, read);
    return null;
  }
  const { source } = read;
  const located = parseYaml(source, { start: 0, end: source.text.length }, problems);
  if (located === null) return null;
  const whole = located.value === null ? { ...located, value: {} } : located;
  const fields = decode(configSchema, { source, located: whole, under: [] }, problems);
  return fields === null ? null : { kind, source, fields, located };
}

function environmentLayer(
  name: string,
  { root, home }: { readonly root: string; readonly home: string },
  problems: Problems,
): Layer | null {
  const plain = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/.test(name);
  const file = `${home}/env/${name}.yaml`;
  const read = plain ? readSource(root, file) : ({ kind: 'missing' } as const);
  if (read.kind !== 'missing') return fileLayer('environment', file, read, problems);
  const names = environmentNames(join(root, home));
  reportFile(problems, plain ? file : `${home}/env`, {
    message: `there is no environment ${quoted(name)}`,
    hint:
      names.length === 0
        ? `${home}/env/NAME.yaml makes one`
        : `environments there are: ${names.join(', ')}`,
  });
  return null;
}

/** Variables that are no keys, and that a person may mean. */
const named: readonly string[] = ['CZAR_ENV'];

function variableLayers(
  variables: ConfigSources['variables'],
  {
    problems,
    isNamed,
  }: { readonly problems: Problems; readonly isNamed: (variable: string) => boolean },
): readonly (Layer | null)[] {
  const names = Object.keys(variables).filter(
    (name) => name.startsWith('CZAR_') && (variables[name] ?? '') !== '',
  );
  if (names.length === 0) return [];
  const byName = new Map(configKeys.map((key) => [key.variable, key]));
  // A group before what is in it, whatever the order of the environment: the narrower word wins.
  const known = configKeys.filter(({ variable }) => names.includes(variable));
  for (const name of names.toSorted()) {
    if (byName.has(name) || ownVariables.includes(name) || isNamed(name)) continue;
    const near = nearest(name, [...byName.keys(), ...named]);
    reportFile(problems, name, {
      severity: 'warning',
      message: `the variable ${name} sets nothing`,
      hint: near === null ? 'czar config show names what can be set' : `did you mean ${near}?`,
    });
  }
  return known.map(({ variable, path }) =>
    textLayer(
      { kind: 'variable', name: variable, path, text: variables[variable] ?? '' },
      problems,
    ),
  );
}

function flagLayer(flag: string, problems: Problems): Layer | null {
  const equals = flag.search(/=/);
  const path = equals < 1 ? null : keyPath(flag.slice(0, equals));
  if (path === null) {
    reportFile(problems, '--set', {
      message: `${quoted(flag)} is no key=value`,
      hint: 'such as --set max_parallel=2 or --set retry.max_attempts=1',
    });
    return null;
  }
  const name = `--set ${flag.slice(0, equals)}`;
  return textLayer({ kind: 'flag', name, path, text: flag.slice(equals + 1) }, problems);
}

/** A layer of one key. What looks like a list, a map or a quoted text is read as YAML, all else as it stands. */
function textLayer(
  from: {
    readonly kind: 'variable' | 'flag';
    readonly name: string;
    readonly path: KeyPath;
    readonly text: string;
  },
  problems: Problems,
): Layer | null {
  const { kind, name, path, text } = from;
  const source = sourceOf(name, text);
  const range = { start: 0, end: text.length };
  const at = (): typeof range => range;
  const layer = (value: unknown, into: Problems): Layer | null => {
    const whole = path.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value);
    const located = { value: whole, keyAt: at, valueAt: at };
    const fields = decode(configSchema, { source, located, under: [] }, into);
    return fields === null || into.list.length > 0 ? null : { kind, source, fields, located };
  };
  const asText = (): Layer | null => (isTextKey(path) ? layer(text, { list: [] }) : null);
  const mistakes: Problems = { list: [] };
  const asYaml = (): Layer | null => {
    const parsed = parseYaml(source, range, mistakes);
    return parsed === null ? null : layer(parsed.value, mistakes);
  };
  const structured = /^\s*[[{"']/.test(text);
  const found = structured ? (asYaml() ?? asText()) : (asText() ?? asYaml());
  if (found === null) problems.list.push(...mistakes.list);
  return found;
}

/** Whether a text may stand at the key as it is: what the schema leaves open is read as YAML. */
function isTextKey(path: KeyPath): boolean {
  const key = keyAt(path);
  if (key === null) return false;
  const schema = key.schema instanceof z.ZodOptional ? key.schema.unwrap() : key.schema;
  return !(schema instanceof z.ZodUnknown);
}
