-- +goose Up

-- When the first call of an attempt was begun: what lies before it since started_at is its wait for a slot. Null while there was
-- none, and where that was not noted down.

ALTER TABLE node_state ADD COLUMN called_at INTEGER;
ALTER TABLE node_attempt ADD COLUMN called_at INTEGER;

-- The same of the nodes of an archived task. Beside the body, which the version before reads as it is.
ALTER TABLE task_archive ADD COLUMN calls BLOB;
