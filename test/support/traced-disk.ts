/**
 * A disk rebuilt from the system calls of one process on the files of one folder, as it may look when power is lost
 * after any of them. What was synced is there; of what was written to a file since its last sync, any sectors may be
 * there or not, in any order; a file that was removed may be there until the next sync of anything.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export type Call =
  | { readonly kind: 'write'; readonly file: string; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'cut'; readonly file: string; readonly length: number }
  | { readonly kind: 'sync' | 'remove'; readonly file: string }
  /** Text that the process wrote to its output. */
  | { readonly kind: 'said'; readonly text: string };

type Change = Extract<Call, { kind: 'write' | 'cut' }>;

/** What a process did to these files of a folder, in order, and what it said on its output in between. */
export function traceFiles(
  argv: readonly string[],
  folder: string,
  names: readonly string[],
): readonly Call[] {
  const trace = join(folder, 'trace');
  const calls = 'openat,close,write,pwrite64,ftruncate,fsync,fdatasync,unlink,rename,fallocate';
  const options = ['-q', '-xx', '-s', '1000000', '-e', 'signal=none', '-e', `trace=${calls}`];
  const { status, stderr } = spawnSync('strace', [...options, '-o', trace, ...argv], {
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  assert.equal(status, 0, stderr);
  const open = new Map<number, string>();
  return readFileSync(trace, 'latin1')
    .split('\n')
    .flatMap((line): readonly Call[] => {
      const [, name = '', rest = '', result = ''] = /^(\w+)\((.*)\) += (-?\d+)/.exec(line) ?? [];
      if (name === '' || result.startsWith('-')) return [];
      const path = basename(unhexed(rest).toString('utf8'));
      const fd = Number(/^\d+/.exec(rest)?.[0]);
      if (name === 'openat') {
        if (names.includes(path)) open.set(Number(result), path);
        else open.delete(Number(result));
        return [];
      }
      if (name === 'unlink') return names.includes(path) ? [{ kind: 'remove', file: path }] : [];
      if (name === 'write' && fd === 1) return [{ kind: 'said', text: unhexed(rest).toString() }];
      const file = open.get(fd);
      if (file === undefined) return [];
      const last = Number(/(\d+)$/.exec(rest)?.[1]);
      switch (name) {
        case 'close':
          open.delete(fd);
          return [];
        case 'pwrite64':
          return [{ kind: 'write', file, at: last, bytes: unhexed(rest) }];
        case 'ftruncate':
          return [{ kind: 'cut', file, length: last }];
        case 'fsync':
        case 'fdatasync':
          return [{ kind: 'sync', file }];
        default:
          throw new Error(`a call that is not understood: ${line.slice(0, 200)}`);
      }
    });
}

const sector = 512;

interface TracedFile {
  readonly synced: Bytes;
  /** What was done since the last sync. */
  readonly since: Change[];
  removed: boolean;
}

export class TracedDisk {
  readonly #files = new Map<string, TracedFile>();

  take(call: Call): void {
    if (call.kind === 'said') return;
    const file = this.#files.get(call.file) ?? {
      synced: new Bytes(),
      since: [],
      removed: false,
    };
    this.#files.set(call.file, file);
    switch (call.kind) {
      case 'remove':
        file.removed = true;
        return;
      case 'sync':
        for (const [name, { removed }] of this.#files) if (removed) this.#files.delete(name);
        for (const one of file.since.splice(0)) file.synced.apply(one);
        return;
      case 'write':
      case 'cut':
        // A file that is made again under the name of a removed one is another.
        if (file.removed) {
          file.synced.apply({ kind: 'cut', file: call.file, length: 0 });
          file.since.length = 0;
          file.removed = false;
        }
        file.since.push(call);
    }
  }

  /** Writes one of the disks that there may be now into a folder; gives how many sectors that were written are not there. */
  lay(folder: string, pick: (below: number) => number): number {
    let missing = 0;
    mkdirSync(folder);
    for (const [name, { synced, since, removed }] of this.#files) {
      if (removed && pick(2) === 0) continue;
      const bytes = new Bytes(synced.content());
      // Now and then nothing of what was not synced is there, or all but a little: as caches are lost.
      const chance = pick(4) === 0 ? 8 : pick(9);
      for (const call of since) {
        for (const part of parts(call)) {
          if (pick(8) < chance) bytes.apply(part);
          else missing += 1;
        }
      }
      writeFileSync(join(folder, name), bytes.content());
    }
    return missing;
  }
}

/** The pieces of a call that reach the disk each by itself. */
function parts(call: Change): readonly (typeof call)[] {
  if (call.kind === 'cut') return [call];
  const pieces: (typeof call)[] = [];
  for (let from = 0; from < call.bytes.length;) {
    const to = Math.min(
      call.bytes.length,
      (Math.floor((call.at + from) / sector) + 1) * sector - call.at,
    );
    pieces.push({ ...call, at: call.at + from, bytes: call.bytes.subarray(from, to) });
    from = to;
  }
  return pieces;
}

/** The content of a file, changed in place. */
class Bytes {
  #room: Buffer;
  #length: number;

  constructor(content: Uint8Array = Buffer.alloc(0)) {
    this.#room = Buffer.from(content);
    this.#length = content.length;
  }

  apply(call: Change): void {
    const end = call.kind === 'cut' ? call.length : call.at + call.bytes.length;
    if (end > this.#room.length) {
      const room = Buffer.alloc(end * 2);
      this.#room.copy(room, 0, 0, this.#length);
      this.#room = room;
    }
    if (call.kind === 'cut' && end < this.#length) this.#room.fill(0, end, this.#length);
    if (call.kind === 'write') call.bytes.copy(this.#room, call.at);
    this.#length = call.kind === 'cut' ? end : Math.max(end, this.#length);
  }

  content(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }
}

/** The bytes of the first string of a call, which strace writes in hexadecimal. */
function unhexed(rest: string): Buffer {
  const [, hex = ''] = /"((?:\\x[0-9a-f]{2})*)"/.exec(rest) ?? [];
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex');
}
