/** The tables of the log, and what makes a database file ours. */

/** Marks the file as czar's in SQLite's header: "czar". */
export const applicationId = 0x637a6172;

/** Version of the tables; a file with a greater one is refused. */
export const formatVersion = 1;

/** Creates everything in an empty database. */
export const createTables = `
  CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    v INTEGER NOT NULL,
    at INTEGER NOT NULL,
    run TEXT,
    worker TEXT,
    attempt INTEGER,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX event_of_worker ON event (run, worker, seq) WHERE worker IS NOT NULL;
  CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
    BEGIN SELECT raise(ABORT, 'events are never changed'); END;
  CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
    BEGIN SELECT raise(ABORT, 'events are never removed'); END;

  CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    projection_version INTEGER NOT NULL,
    projection_seq INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE projection (
    kind TEXT NOT NULL,
    run TEXT NOT NULL,
    part TEXT NOT NULL,
    body TEXT NOT NULL,
    sum TEXT NOT NULL,
    UNIQUE (kind, run, part)
  ) STRICT;
`;
