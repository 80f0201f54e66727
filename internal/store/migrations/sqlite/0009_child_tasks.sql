-- +goose Up

-- A task that an attempt of a node of another one made. Tasks from before have no parent. The index lists the children of
-- a task, and lets an attempt have one at most.

ALTER TABLE task ADD COLUMN parent_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN parent_node INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN parent_version TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX task_parent ON task (parent_id, parent_node, parent_version) WHERE parent_id <> 0;
