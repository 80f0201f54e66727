-- +goose Up

-- Execution schemes: named choices of the activities of a template that are to run.
CREATE TABLE scheme (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    template_id INTEGER NOT NULL REFERENCES template (id),
    name        TEXT    NOT NULL,
    nodes       TEXT    NOT NULL, -- JSON array of the ids of activities
    UNIQUE (template_id, name)
) STRICT;
