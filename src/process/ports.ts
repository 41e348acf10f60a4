/**
 * Ports of attempts: blocks that nobody listens on and that no other live attempt of this user has, of whatever run and
 * repository.
 *
 * Owns a folder of links, one for each block that is taken, named by its first port and leading to the attempt's folder:
 * making a link is the claim. Whoever finds one of an attempt that has ended takes it away. Invariant: an attempt whose
 * ports cannot be claimed gets the block that was preferred; none waits or fails for ports.
 */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { liveness } from './identity.ts';
import { readBoot, readStatus } from './status.ts';

/** Ports of one attempt. */
export const portsPerAttempt = 10;

/** All lie below those that systems hand out themselves. */
const firstPort = 20_000;
const blocks = 1_200;

export class Ports {
  readonly #folder: string;
  readonly #tables: readonly string[];
  readonly #taken = new Map<string, number>();
  /** When a block was last found free by trying, milliseconds of a steady clock. */
  readonly #free = new Map<number, number>();
  /** What the kernel last told. */
  #table: { readonly at: number; readonly ports: ReadonlySet<number> } | null = null;
  #swept = false;

  /**
   * `folder` is the user's, for all repositories; it is made when it is needed. `tables` are the kernel's of who listens;
   * where the first is missing, ports are tried.
   */
  constructor(folder: string, tables: readonly string[] = ['/proc/net/tcp', '/proc/net/tcp6']) {
    this.#folder = folder;
    this.#tables = tables;
  }

  /** Takes a block for the attempt in the folder and gives its first port, that of the number of a block if it is free. */
  async take(dir: string, preferred: number): Promise<number> {
    this.release(dir);
    try {
      for (let n = 0; n < blocks; n += 1) {
        const port = portOf(preferred + n);
        if (!this.#claim(port, dir)) continue;
        if (await this.#isFree(port)) return port;
        this.release(dir);
      }
    } catch {
      // The folder cannot be used.
    }
    return portOf(preferred);
  }

  /** The attempt has ended, with all that it started. */
  release(dir: string): void {
    if (!this.#swept) this.#sweep();
    const port = this.#taken.get(dir);
    this.#taken.delete(dir);
    // One that cannot be removed goes with the next loop.
    if (port !== undefined) remove(this.#link(port));
  }

  #link(port: number): string {
    return join(this.#folder, String(port));
  }

  #claim(port: number, dir: string): boolean {
    const link = this.#link(port);
    try {
      symlinkSync(dir, link);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      if (code === 'EEXIST') return false;
      if (code !== 'ENOENT') throw error;
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      symlinkSync(dir, link);
    }
    this.#taken.set(dir, port);
    return true;
  }

  async #isFree(port: number): Promise<boolean> {
    const now = performance.now();
    const all = Array.from({ length: portsPerAttempt }, (_, n) => port + n);
    if (this.#table === null || now - this.#table.at >= trustMs) {
      const ports = portsListenedOn(this.#tables);
      this.#table = ports === null ? null : { at: now, ports };
    }
    const { ports: listenedOn } = this.#table ?? {};
    if (listenedOn !== undefined) return !all.some((one) => listenedOn.has(one));
    if (now - (this.#free.get(port) ?? -Infinity) < trustMs) return true;
    const isFree = (await Promise.all(all.map(canListen))).every((free) => free);
    if (isFree) this.#free.set(port, now);
    return isFree;
  }

  /** Learns what attempts of earlier loops still have, and takes away what ended ones had. */
  #sweep(): void {
    this.#swept = true;
    for (const name of namesIn(this.#folder)) {
      const link = join(this.#folder, name);
      try {
        const dir = readlinkSync(link);
        if (mayLive(dir, link)) this.#taken.set(dir, Number(name));
        else remove(link);
      } catch {
        // Gone in between, or none of ours.
      }
    }
  }
}

/** So long what was found of who listens counts, milliseconds. */
const trustMs = 1_000;
/** So long an attempt may take from its ports to its first record, milliseconds. */
const launchMs = 120_000;

/** First port of the block with this number, counted on from the first one after the last. */
export function portOf(block: number): number {
  return firstPort + (block % blocks) * portsPerAttempt;
}

function mayLive(dir: string, link: string): boolean {
  const status = readStatus(dir);
  switch (status.kind) {
    case 'none':
      return Date.now() - lstatSync(link).mtimeMs < launchMs;
    case 'void':
    case 'exited':
      return false;
    case 'claimed':
    case 'running': {
      const boot = readBoot(dir);
      const known = [status.shim, status.kind === 'running' ? status.agent : null];
      return known.some((one) => one !== null && liveness({ ...one, boot }) !== 'gone');
    }
  }
}

/** Every port on which anybody listens, on any address (proc_net(5)); null where the kernel does not show it. */
function portsListenedOn(tables: readonly string[]): ReadonlySet<number> | null {
  const [first, ...others] = tables.map(textOf);
  if (first == null) return null;
  const found = [first, ...others].join('').matchAll(listening);
  return new Set(Array.from(found, ([, port = '']) => Number.parseInt(port, 16)));
}

/** A line of the table: number, local address and port, the other side, and the state of one that listens. */
const listening = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A /gm;

/** Whether nobody listens on the port, on any address. */
async function canListen(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  // Without a host it is every address, of both families where there are two.
  server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  return await promise;
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function remove(link: string): void {
  try {
    unlinkSync(link);
  } catch {
    // It is gone, or stays.
  }
}
