-- +goose Up

-- What an attempt of a node wrote. The retry and the loop tell attempts apart; a forced failure or a skip gives one attempt
-- another version.
CREATE TABLE log_chunk (
    project_id INTEGER NOT NULL,
    task_id    INTEGER NOT NULL,
    node       INTEGER NOT NULL,
    loop       INTEGER NOT NULL,
    retry      INTEGER NOT NULL,
    seq        INTEGER NOT NULL, -- place of its first byte in the log
    version    TEXT    NOT NULL, -- of the attempt when it was written
    size       INTEGER NOT NULL CHECK (size > 0), -- in bytes, before compression
    body       BLOB    NOT NULL, -- zstd
    PRIMARY KEY (task_id, node, loop, retry, seq)
) STRICT;
