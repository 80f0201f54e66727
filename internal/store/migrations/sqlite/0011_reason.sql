-- +goose Up

-- What a person said why, with the transitions that the command made; null where nothing was said.

ALTER TABLE transition ADD COLUMN reason TEXT;
