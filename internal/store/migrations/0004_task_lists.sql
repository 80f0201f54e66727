-- +goose Up

-- Lists of the tasks of one flow, and of those that one person made. Neither column ever changes.

CREATE INDEX task_template ON task (project_id, template_id, id) WHERE deleted = 0;
CREATE INDEX task_creator ON task (project_id, creator, id) WHERE deleted = 0;
