/**
 * Trees that are being made: they can be read beside those of the mirror, and are in it only when `store` is done.
 */
import type { NewObject } from '../mirror/loose-object.ts';
import { compareEntries, objectId, writeTree } from '../mirror/object-format.ts';
import type { TreeEntry } from '../mirror/object-format.ts';
import type { OpenMirror, OpenTree } from '../mirror/open-mirror.ts';

export class NewTrees {
  readonly #mirror: OpenMirror;
  readonly #added = new Map<string, { readonly object: NewObject; readonly tree: OpenTree }>();

  constructor(mirror: OpenMirror) {
    this.#mirror = mirror;
  }

  /** A tree by its id; null when git must be asked. */
  tree(id: string): OpenTree | Promise<OpenTree | null> {
    return this.#added.get(id)?.tree ?? this.#mirror.tree(id);
  }

  /** Adds a tree of these entries and gives its id, of `width` signs. */
  add(byName: ReadonlyMap<string, TreeEntry>, width: number): string {
    const entries = [...byName.values()].sort(compareEntries);
    const content = writeTree(entries);
    const id = objectId('tree', content, width);
    this.#added.set(id, { object: { id, type: 'tree', content }, tree: { id, entries, byName } });
    return id;
  }

  /** Makes all of them durable. */
  async store(): Promise<void> {
    const added = [...this.#added.values()];
    await this.#mirror.write(added.map(({ object }) => object));
    for (const { tree } of added) this.#mirror.keep(tree);
  }
}
