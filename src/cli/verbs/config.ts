/** `czar config show|explain|validate`: the configuration as it counts, and where each value of it comes from. */
import { keyAt, keyPath, keyText, configKeys, type KeyPath } from '../../plan/config-keys.ts';
import { warnOfUnused } from '../../plan/config-file.ts';
import { readLayers } from '../../plan/config-layers.ts';
import {
  effectiveValue,
  mergeLayers,
  originText,
  saidOf,
  settingsOf,
  type Merged,
  type Origin,
} from '../../plan/config-merge.ts';
import { configNotActedOn } from '../../plan/config-schema.ts';
import {
  hasErrors,
  sortDiagnostics,
  type Diagnostic,
  type Problems,
} from '../../plan/diagnostics.ts';
import { nearest } from '../../plan/nearest.ts';
import { configSources } from '../config-sources.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import { plural, printDiagnostics } from '../plan-files.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define: (command, context) => {
    command
      .command('show')
      .description('every key with its value, and where that comes from')
      .action(() => show(context));
    command
      .command('explain')
      .description('what a key means, what each layer says of it, and which one counts')
      .argument('<key>', 'such as max_parallel or retry.max_attempts')
      .action((key: string) => explain(context, key));
    command
      .command('validate')
      .description('every problem of the configuration, with file and line')
      .addHelpText('after', '\nExit codes: 0 valid, 2 problems found.')
      .action(() => validate(context));
    command.addHelpText(
      'after',
      '\nLayers, the weakest first: defaults, $XDG_CONFIG_HOME/czar/config.yaml (else ~/.config/…), config.yaml of the' +
        '\nhome, its env/NAME.yaml (--env NAME or CZAR_ENV), environment variables (CZAR_MAX_PARALLEL, …), --set key=value.',
    );
  },
};

/** The layers over one another with all that is wrong in them; null when there is no repository, which has been said. */
function read(
  context: CliContext,
): { readonly merged: Merged; readonly diagnostics: readonly Diagnostic[] } | null {
  const place = findPlace(context);
  if (place === null) return null;
  const problems: Problems = { list: [] };
  const { root, home } = place;
  const sources = configSources(context);
  const merged = mergeLayers(readLayers({ root, home: home.name, sources }, problems));
  warnOfUnused(merged, problems);
  return { merged, diagnostics: sortDiagnostics(problems.list) };
}

/** The layers, when nothing is wrong in them; else null, and what is wrong has been said. */
function sound(context: CliContext): Merged | null {
  const found = read(context);
  if (found === null) return null;
  if (!hasErrors(found.diagnostics)) return found.merged;
  const errors = found.diagnostics.filter((one) => one.severity === 'error');
  printDiagnostics(context.out.error, errors);
  context.fail({
    exit: exits.wrong,
    what: `the configuration has ${plural(errors.length, 'error')}`,
    where: errors[0] === undefined ? null : placeText(errors[0]),
    next: 'czar config validate',
  });
  return null;
}

function show(context: CliContext): void {
  const merged = sound(context);
  if (merged === null) return;
  const settings = settingsOf(merged);
  if (context.options.json) {
    return context.out.json({
      v: 1,
      settings: settings.map(({ path, value, origin }) => ({
        key: keyText(path),
        value: value ?? null,
        origin: originDocument(origin),
        acted_on: isActedOn(path),
      })),
    });
  }
  const told = settings.filter(({ path, value }) => value !== undefined || isActedOn(path));
  context.out.table(
    told.map(({ path, value, origin }) => [
      keyText(path),
      { text: value === undefined ? '' : originText(origin), style: 'dim' },
      value === undefined ? { text: 'not set', style: 'dim' } : valueText(value),
    ]),
  );
}

function explain(context: CliContext, key: string): void {
  const path = keyPath(key);
  const known = path === null ? null : keyAt(path);
  if (path === null || known === null) {
    const names = configKeys.map((one) => keyText(one.path));
    const near = nearest(key, names) ?? names.find((name) => name.endsWith(`.${key}`)) ?? null;
    return context.fail({
      exit: exits.wrong,
      what: `there is no key ${JSON.stringify(key)}`,
      next: near === null ? 'czar config show lists the keys' : `did you mean ${near}?`,
    });
  }
  const merged = sound(context);
  if (merged === null) return;
  const said = saidOf(merged, path);
  const variable = configKeys.find((one) => keyText(one.path) === keyText(path))?.variable ?? null;
  const value = effectiveValue(merged, path);
  const idle = isActedOn(path) ? null : (configNotActedOn[topOf(path)] ?? 'nothing comes of it');
  if (context.options.json) {
    return context.out.json({
      v: 1,
      key: keyText(path),
      meaning: known.meaning,
      variable,
      value: value ?? null,
      layers: said.map((one) => ({ value: one.value, origin: originDocument(one.origin) })),
      acted_on: idle === null,
    });
  }
  const { out } = context;
  out.line({ text: keyText(path), style: 'bold' });
  if (known.meaning !== '') out.line(`  ${known.meaning}`);
  if (idle !== null) out.line(`  This version does not act on it: ${idle}.`);
  if (variable !== null) out.line(`  variable: ${variable}`);
  if (said.length === 0) return out.line('  Nothing sets it, and it has no default.');
  // Maps are laid over one another: then no single layer says it all.
  const merges = typeof value === 'object' && value !== null && !Array.isArray(value);
  out.table(
    said.map((one, index) => [
      index === said.length - 1 && !merges ? { text: '→', style: 'green' } : ' ',
      valueText(one.value),
      { text: originText(one.origin), style: 'dim' },
    ]),
    { indent: 2, flex: 1 },
  );
  if (merges && said.length > 1) out.line(`  together: ${valueText(value)}`);
}

function validate(context: CliContext): void {
  const found = read(context);
  if (found === null) return;
  const { diagnostics, merged } = found;
  const errors = diagnostics.filter((one) => one.severity === 'error').length;
  const warnings = diagnostics.length - errors;
  context.exit(errors > 0 ? exits.wrong : exits.done);
  const layers = merged.layers.map((layer) => layer.source.file);
  if (context.options.json)
    return context.out.json({ v: 1, valid: errors === 0, errors, warnings, diagnostics, layers });
  printDiagnostics(context.out.line, diagnostics);
  if (diagnostics.length > 0) context.out.line();
  context.out.line(
    { text: errors > 0 ? 'not valid' : 'valid', style: errors > 0 ? 'red' : 'green' },
    `: ${plural(errors, 'error')}, ${plural(warnings, 'warning')}; read: ${layers.length === 0 ? 'nothing, the defaults hold' : layers.join(', ')}`,
  );
}

function topOf(path: KeyPath): keyof typeof configNotActedOn {
  // A path that `keyAt` knows begins with a key of the schema.
  return path[0] as keyof typeof configNotActedOn;
}

function isActedOn(path: KeyPath): boolean {
  return configNotActedOn[topOf(path)] === undefined;
}

function originDocument(origin: Origin): object {
  return { ...origin, text: originText(origin) };
}

function placeText({ file, line }: Diagnostic): string {
  return `${file}:${line}`;
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
