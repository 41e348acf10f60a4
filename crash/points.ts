/** The named crash points, read from the source text, so that a new one is killed without anyone listing it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files whose crash points only a verb of its own meets, or an agent that asks for permission: their tests kill there. */
const elsewhere =
  /^(?:upkeep\/|git\/collecting\/dropped\.ts$|daemon\/(?:perform\/answer|perform\/remove-tree|forge\/pull-request)\.ts$)/;

/** Where a point is announced, and by which name. */
const announced = /\b(?:reach\((?:context|place\.git|git),\s*|point\?\.\(\s*)([^)]+?),?\s*\)/g;

/**
 * Names of all crash points that a run can meet, sorted. Throws
 * when a call announces a name that is not written out.
 */
export function crashPoints(src: string): readonly string[] {
  const names = new Set<string>();
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts') || elsewhere.test(file)) continue;
    const text = readFileSync(join(src, file), 'utf8');
    for (const match of text.matchAll(announced)) {
      const written = /^'([a-z-]+:[a-z-]+)'$/.exec(match[1] ?? '');
      if (written !== null) names.add(written[1] ?? '');
      else if (match[1] !== 'name')
        throw new Error(`${file}: the crash point ${match[1]} has no fixed name`);
    }
  }
  return [...names].sort();
}
