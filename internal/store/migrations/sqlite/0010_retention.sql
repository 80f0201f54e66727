-- +goose Up

-- A task that ended long ago keeps its row, and how its nodes stood in one further row; everything else of it goes.

ALTER TABLE task ADD COLUMN archived_at INTEGER;

-- The tasks that wait for that, by their age: a task leaves it when it is archived.
CREATE INDEX task_age ON task (COALESCE(finished_at, created_at)) WHERE live = 0 AND archived_at IS NULL;

CREATE TABLE task_archive (
    project_id INTEGER NOT NULL,
    task_id    INTEGER NOT NULL PRIMARY KEY,
    format     INTEGER NOT NULL, -- of the body
    nodes      INTEGER NOT NULL, -- in the body
    body       BLOB    NOT NULL  -- zstd
) STRICT;
