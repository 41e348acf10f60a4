/** Reads the log with nothing but SQLite: the table `event` of `czar.db`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface LogEvent {
  readonly seq: number;
  readonly run: string;
  readonly worker: string;
  /** 0 where the event names none. */
  readonly attempt: number;
  readonly type: string;
  readonly data: Fields;
  readonly hash: string;
}

/** Decoded JSON whose form is looked at where it is used. */
export class Fields {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  /** The field as an object; one without fields when it is none. */
  at(name: string): Fields {
    const value = this.#value;
    return new Fields(
      typeof value === 'object' && value !== null
        ? Object.entries(value).find(([key]) => key === name)?.[1]
        : undefined,
    );
  }

  /** The field as text or number; '' when it is neither. */
  text(name: string): string {
    const found = this.at(name).#value;
    return typeof found === 'string' || typeof found === 'number' ? String(found) : '';
  }

  /** The field as a list of texts. */
  texts(name: string): readonly string[] {
    const found = this.at(name).#value;
    return Array.isArray(found) ? found.map(String) : [];
  }
}

export interface Log {
  readonly events: readonly LogEvent[];
  /** What SQLite finds wrong with the file, and what the head says; no line when nothing is. */
  readonly problems: readonly string[];
}

/** The log of a repository whose loop has ended; null while there is none. */
export function readLog(repo: string): Log | null {
  const file = join(repo, '.git/czar/czar.db');
  if (!existsSync(file)) return null;
  const db = new DatabaseSync(file, { timeout: 5_000 });
  try {
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE name = 'event'").all();
    if (tables.length === 0) return null;
    const events = db.prepare('SELECT * FROM event ORDER BY seq').all().map(eventOf);
    const problems = db
      .prepare('PRAGMA quick_check')
      .all()
      .map((row) => String(row['quick_check']))
      .filter((line) => line !== 'ok');
    const head = db.prepare('SELECT seq, hash, projection_seq FROM head').get();
    const last = events.at(-1);
    if (head?.['seq'] !== (last?.seq ?? 0))
      problems.push(`head stands at ${String(head?.['seq'])}, the log ends at ${last?.seq}`);
    if (last !== undefined && head?.['hash'] !== last.hash)
      problems.push('the hash of the head is not that of the last event');
    if (last !== undefined && head?.['projection_seq'] !== last.seq)
      problems.push('the projection is behind the log');
    return { events, problems };
  } finally {
    db.close();
  }
}

function eventOf(row: Readonly<Record<string, unknown>>): LogEvent {
  return {
    seq: Number(row['seq']),
    run: textOr(row['run']),
    worker: textOr(row['worker']),
    attempt: Number(row['attempt'] ?? 0),
    type: String(row['type']),
    data: new Fields(JSON.parse(String(row['data']))),
    hash: String(row['hash']),
  };
}

function textOr(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The last event that entered a state, of each worker. */
export function lastStates(events: readonly LogEvent[]): ReadonlyMap<string, LogEvent> {
  const states = new Set(
    'pending ready started active verifying reviewing merging complete blocked paused failed skipped cancelled'
      .split(' ')
      .map((state) => `worker.${state}`),
  );
  const last = new Map<string, LogEvent>();
  for (const event of events)
    if (states.has(event.type)) last.set(`${event.run} ${event.worker}`, event);
  return last;
}
