/**
 * Layers of a configuration laid over one another: maps merge key by key, everything else (lists too) replaces what a
 * weaker layer says. Where a value comes from is the strongest layer that says it.
 */
import { configDefaults } from './config-defaults.ts';
import { configKeys, type KeyPath } from './config-keys.ts';
import type { Layer, LayerKind } from './config-layers.ts';
import type { ConfigFields } from './config-schema.ts';
import { member } from './shape.ts';
import { placeOf } from './source.ts';

export interface Merged {
  readonly fields: ConfigFields;
  /** The weakest first. */
  readonly layers: readonly Layer[];
}

/** Where a value stands: a line of a file, a variable, a flag, or the defaults. */
export type Origin =
  | { readonly kind: 'default' }
  | {
      readonly kind: Extract<LayerKind, 'user' | 'project' | 'environment'>;
      readonly file: string;
      readonly line: number;
    }
  | { readonly kind: 'variable' | 'flag'; readonly name: string };

/** A key with its value; `value` is undefined when nothing sets it. */
export interface Setting {
  readonly path: KeyPath;
  readonly value: unknown;
  readonly origin: Origin;
}

/** All layers as one. */
export function mergeLayers(layers: readonly Layer[]): Merged {
  const fields = layers.reduce<ConfigFields>(
    (below, { fields: above }) => ({
      ...overlay(below, above),
      // A target is one thing: nothing of another one belongs to it.
      ...(above.notify === undefined ? {} : { notify: above.notify }),
    }),
    {},
  );
  return { fields, layers };
}

/** The strongest layer that says something at a path, or null. */
export function layerOf(layers: readonly Layer[], path: KeyPath): Layer | null {
  return layers.findLast(({ fields }) => valueIn(fields, path) !== undefined) ?? null;
}

/** Every key with its value: those with a fixed name whether set or not, and those below names of the user's choice. */
export function settingsOf({ fields, layers }: Merged): readonly Setting[] {
  const whole = overlay<object>(configDefaults, fields);
  return configKeys
    .filter(({ group }) => !group)
    .flatMap(({ path }) => leavesOf(valueIn(whole, path), path))
    .map(({ path, value }) => ({ path, value, origin: originOf(layers, path) }));
}

/** What one layer after the other says at a path, the defaults first; those that say nothing are left out. */
export function saidOf(
  { layers }: Merged,
  path: KeyPath,
): readonly { readonly value: unknown; readonly origin: Origin }[] {
  const byDefault = valueIn(configDefaults, path);
  return [
    ...(byDefault === undefined
      ? []
      : [{ value: byDefault, origin: { kind: 'default' } as const }]),
    ...layers.flatMap((layer) => {
      const value = valueIn(layer.fields, path);
      return value === undefined ? [] : [{ value, origin: placeIn(layer, path) }];
    }),
  ];
}

/** An origin in a few words. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'user':
    case 'project':
    case 'environment':
      return `${origin.file}:${origin.line}`;
    case 'variable':
    case 'flag':
      return origin.name;
  }
}

/** The value at a path of the defaults and all layers together; undefined when nothing sets it. */
export function effectiveValue({ fields }: Merged, path: KeyPath): unknown {
  return valueIn(overlay<object>(configDefaults, fields), path);
}

function originOf(layers: readonly Layer[], path: KeyPath): Origin {
  const layer = layerOf(layers, path);
  return layer === null ? { kind: 'default' } : placeIn(layer, path);
}

function placeIn({ kind, source, located }: Layer, path: KeyPath): Origin {
  switch (kind) {
    case 'user':
    case 'project':
    case 'environment':
      return { kind, file: source.file, line: placeOf(source, located.keyAt(path).start).line };
    case 'variable':
    case 'flag':
      return { kind, name: source.file };
  }
}

function valueIn(fields: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(member, fields);
}

function leavesOf(
  value: unknown,
  path: KeyPath,
): readonly { readonly path: KeyPath; readonly value: unknown }[] {
  if (!isMap(value)) return [{ path, value }];
  const inner = Object.entries(value).flatMap(([name, one]) => leavesOf(one, [...path, name]));
  return inner.length === 0 ? [{ path, value }] : inner;
}

/** `above` over `below`; neither is changed. */
function overlay<T extends object>(below: T, above: T): T {
  const merged = new Map<string, unknown>(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    const under = merged.get(key);
    merged.set(key, isMap(under) && isMap(value) ? overlay<object>(under, value) : value);
  }
  // The schema is one of optional keys at every level, so that a union of two of its values is one too.
  return Object.fromEntries(merged) as T;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
