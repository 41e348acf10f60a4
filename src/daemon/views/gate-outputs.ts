/** What gates printed, as it is kept in the home. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { join, relative } from 'node:path';
import { openPlainFile } from '../../process/plain-file.ts';
import type { OutputOf } from '../../report/gates.ts';
import type { Place } from '../place.ts';

/** Bytes of an output that are read at most. */
const shownBytes = 64 * 1024;

/** Outputs of gates, by how their verdicts name them. */
export function outputsIn(place: Place): OutputOf {
  return (log) => {
    const file = join(place.home.path, log);
    const end = endOf(file);
    return end === null ? null : { file: relative(place.root, file), end };
  };
}

function endOf(path: string): string | null {
  const file = openPlainFile(path);
  if (file === null) return null;
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, shownBytes));
    const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8', 0, read).trimEnd();
  } finally {
    closeSync(file);
  }
}
