PRAGMA foreign_keys=OFF;
PRAGMA user_version=3;
BEGIN TRANSACTION;
CREATE TABLE pairs (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO pairs VALUES(1,'sqlite @DATABASE@ | local @ROOT@');
CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pair INTEGER NOT NULL REFERENCES pairs (id),
        mode TEXT NOT NULL,
        outcome TEXT,
        started_at TEXT NOT NULL,
        finished_at TEXT,
        found INTEGER NOT NULL DEFAULT 0,
        removed INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0
    ) STRICT;
INSERT INTO runs VALUES(1,1,'dry-run','findings','@NOW@','@NOW@',4,0,0);
INSERT INTO runs VALUES(2,1,'execute','removed','@NOW@','@NOW@',4,5,80);
CREATE TABLE sightings (
        pair INTEGER NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        table_name TEXT NOT NULL,
        record_id TEXT NOT NULL,
        first_seen TEXT NOT NULL,
        last_seen TEXT NOT NULL,
        last_run INTEGER NOT NULL,
        resolved_at TEXT,
        PRIMARY KEY (pair, kind, key, table_name, record_id)
    ) STRICT, WITHOUT ROWID;
INSERT INTO sightings VALUES(1,'dead','live/40.png','assets','40','@NOW@','@NOW@',2,NULL);
INSERT INTO sightings VALUES(1,'orphaned-file','stray/0.png','','','@NOW@','@NOW@',2,NULL);
INSERT INTO sightings VALUES(1,'orphaned-file','stray/1.png','','','@NOW@','@NOW@',2,NULL);
INSERT INTO sightings VALUES(1,'orphaned-file','stray/2.png','','','@NOW@','@NOW@',2,NULL);
CREATE TABLE removals (
        id INTEGER PRIMARY KEY,
        pair INTEGER NOT NULL,
        run INTEGER NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        table_name TEXT NOT NULL DEFAULT '',
        record_id TEXT NOT NULL DEFAULT '',
        size INTEGER NOT NULL,
        last_modified INTEGER, -- microseconds since 1970
        etag TEXT,
        trash_key TEXT,        -- NULL: for good
        state TEXT NOT NULL,
        detail TEXT,
        intended_at TEXT NOT NULL,
        done_at TEXT
    , handle TEXT, before TEXT, after TEXT) STRICT;
INSERT INTO removals VALUES(1,1,2,'dead','live/40.png','assets','40',0,1787953371063212,NULL,NULL,'row-deleted',NULL,'@NOW@','@NOW@','i40','[["id","i40"],["storage_key","t6C6976652F34302E706E67"],["created_at","t323032362D30382D32382032313A34323A3531"],["status","t64656164"]]',NULL);
INSERT INTO removals VALUES(2,1,2,'dead','live/40.png','','',20,1787953371063212,NULL,'.trash/01M8CWZC55ZGW8GTNN2GD92RVG/live/40.png','trashed',NULL,'@NOW@','@NOW@',NULL,NULL,NULL);
INSERT INTO removals VALUES(3,1,2,'orphaned-file','stray/0.png','','',20,1787953371063212,NULL,'.trash/01M8CWZC55ZGW8GTNN2GD92RVG/stray/0.png','trashed',NULL,'@NOW@','@NOW@',NULL,NULL,NULL);
INSERT INTO removals VALUES(4,1,2,'orphaned-file','stray/1.png','','',20,1787953371063212,NULL,'.trash/01M8CWZC55ZGW8GTNN2GD92RVG/stray/1.png','trashed',NULL,'@NOW@','@NOW@',NULL,NULL,NULL);
INSERT INTO removals VALUES(5,1,2,'orphaned-file','stray/2.png','','',20,1787953371063212,NULL,'.trash/01M8CWZC55ZGW8GTNN2GD92RVG/stray/2.png','trashed',NULL,'@NOW@','@NOW@',NULL,NULL,NULL);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('runs',2);
CREATE INDEX removals_run ON removals (run);
CREATE INDEX removals_key ON removals (pair, key);
CREATE INDEX removals_open ON removals (pair, state) WHERE state IN
        ('intended', 'trashed-unsettled', 'deleted-unsettled', 'purging', 'restoring', 'trashed', 'row-deleting',
         'row-updating', 'row-deleted-unsettled', 'row-updated-unsettled', 'row-restoring');
COMMIT;
