-- +goose Up

-- When what is in a chunk was written: small pieces of different times are put together into one. For each piece, as varints,
-- how many bytes of the chunk after the one before it begins, and how many milliseconds after it it was written; the first
-- counts from 0 and from 1970. Null where that was not noted down.
ALTER TABLE log_chunk ADD COLUMN times bytea;
