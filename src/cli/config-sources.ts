/** From where the configuration of a command comes, beside the home. */
import { environmentOf, userConfigFile, type ConfigSources } from '../plan/config-layers.ts';
import type { CliContext } from './verb.ts';

/** User's file, environment, variables and flags; `flags` are what the verb's own options say, over all others. */
export function configSources(
  { env, options }: Pick<CliContext, 'env' | 'options'>,
  flags: readonly string[] = [],
): ConfigSources {
  return {
    userFile: userConfigFile(env),
    environment: options.env ?? environmentOf(env),
    variables: Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('CZAR_'))),
    flags: [...options.set, ...flags],
  };
}
