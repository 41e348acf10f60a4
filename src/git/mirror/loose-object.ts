/**
 * Objects with a file of their own. Writes them as git does: compressed, under their id, read-only, durable before they have their
 * name. A process killed half way leaves a file that no git takes for an object.
 *
 * Only the waiting for the disk leaves this thread: for files this small, handing over each call costs more than it.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { deflateSync, inflateSync } from 'node:zlib';
import { objectHeader } from './object-format.ts';

export interface NewObject {
  readonly id: string;
  readonly type: 'tree' | 'commit';
  readonly content: Uint8Array;
}

const toDisk = promisify(fsync);
let count = 0;

/** Writes objects whose ids are known into the folder `objects`. Fails as the disk does. */
export async function writeLooseObjects(
  objects: string,
  added: readonly NewObject[],
): Promise<void> {
  const results = await Promise.allSettled(added.map((object) => write(objects, object)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function write(objects: string, { id, type, content }: NewObject): Promise<void> {
  const [folder, place] = placeOf(objects, id);
  if (existsSync(place)) return;
  const bytes = zlibBytes(Buffer.concat([Buffer.from(objectHeader(type, content)), content]));
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  count += 1;
  // The name of git's own unfinished objects, which its tools know to clean up.
  const making = `${folder}/tmp_obj_${process.pid}_${count}`;
  const file = openSync(making, 'wx', 0o444);
  try {
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      await toDisk(file);
    } finally {
      closeSync(file);
    }
    renameSync(making, place);
  } catch (error) {
    rmSync(making, { force: true });
    throw error;
  }
}

/** An object that has a file of its own, as its bytes say that it is; null when it has none that is whole and small. */
export function readLooseObject(
  objects: string,
  id: string,
): { readonly type: string; readonly content: Buffer } | null {
  const [, place] = placeOf(objects, id);
  if (!existsSync(place)) return null;
  try {
    const bytes = inflateSync(readFileSync(place), { maxOutputLength: maxReadBytes });
    const hash = createHash(id.length === 64 ? 'sha256' : 'sha1')
      .update(bytes)
      .digest('hex');
    if (hash !== id) return null;
    const end = bytes.indexOf(0);
    const [type = ''] = bytes.toString('latin1', 0, end).split(' ');
    return { type, content: bytes.subarray(end + 1) };
  } catch {
    return null;
  }
}

function placeOf(objects: string, id: string): readonly [folder: string, file: string] {
  const folder = `${objects}/${id.slice(0, 2)}`;
  return [folder, `${folder}/${id.slice(2)}`];
}

/** More is left to git. */
const maxReadBytes = 1024 * 1024;

/** Larger content is worth compressing; less takes one block of the disk either way. */
const storedUpTo = 4_096;

/** The zlib format that loose objects have. */
function zlibBytes(content: Buffer): Buffer {
  if (content.length > storedUpTo) return deflateSync(content, { level: 1 });
  // RFC 1950 and 1951: header, one final block that is not compressed, with its length twice, and Adler-32.
  const bytes = Buffer.alloc(content.length + 11);
  bytes.writeUInt16BE(0x7801, 0);
  bytes.writeUInt8(1, 2);
  bytes.writeUInt16LE(content.length, 3);
  bytes.writeUInt16LE(0xffff - content.length, 5);
  content.copy(bytes, 7);
  let [low, high] = [1, 0];
  for (const byte of content) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  bytes.writeUInt16BE(high, content.length + 7);
  bytes.writeUInt16BE(low, content.length + 9);
  return bytes;
}
