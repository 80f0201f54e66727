-- +goose NO TRANSACTION
-- +goose Up

-- When the first call of an attempt was begun: what lies before it since started_at is its wait for a slot. Null while there was
-- none, and where that was not noted down. Each table is changed by itself: nobody is kept from one while another is waited for.

ALTER TABLE node_state ADD COLUMN IF NOT EXISTS called_at bigint;
ALTER TABLE node_attempt ADD COLUMN IF NOT EXISTS called_at bigint;

-- The same of the nodes of an archived task. Beside the body, which the version before reads as it is.
ALTER TABLE task_archive ADD COLUMN IF NOT EXISTS calls bytea;
