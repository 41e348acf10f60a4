/** The environments of a home: files that a configuration may be laid over with. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Names of the environments of a home (absolute), sorted. */
export function environmentNames(home: string): readonly string[] {
  try {
    return readdirSync(join(home, 'env'))
      .filter((name) => name.endsWith('.yaml') && !name.startsWith('.'))
      .map((name) => name.slice(0, -'.yaml'.length))
      .sort();
  } catch {
    return [];
  }
}
