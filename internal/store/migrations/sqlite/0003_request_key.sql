-- +goose Up

-- The keys of requests that had an effect, until they expire.
CREATE TABLE request_key (
    project_id INTEGER NOT NULL,
    owner      TEXT    NOT NULL, -- the app, or the user of a request without one
    key        TEXT    NOT NULL,
    request    BLOB    NOT NULL, -- hash
    made       INTEGER NOT NULL, -- id of the task or template that was made, 0: none
    answer     BLOB,             -- what else the answer is made of again
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, owner, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_key_expiry ON request_key (expires_at);
