CREATE TABLE app (
    code        TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    trusted_all INTEGER NOT NULL CHECK (trusted_all IN (0, 1)),
    disabled    INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE app_secret (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    app        TEXT    NOT NULL REFERENCES app (code),
    hash       BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX app_secret_app ON app_secret (app);

CREATE TABLE app_trust (
    app        TEXT    NOT NULL REFERENCES app (code),
    project_id INTEGER NOT NULL REFERENCES project (id),
    PRIMARY KEY (app, project_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    project_id INTEGER NOT NULL,
    task_id    INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    node       INTEGER NOT NULL,
    version    TEXT    NOT NULL,
    data       BLOB,
    PRIMARY KEY (task_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE fork (
    project_id   INTEGER NOT NULL,
    task_id      INTEGER NOT NULL,
    token        INTEGER NOT NULL,
    parent       INTEGER NOT NULL,
    destination  INTEGER NOT NULL,
    need         INTEGER NOT NULL,
    have         INTEGER NOT NULL,
    next         INTEGER NOT NULL,
    stopped      INTEGER NOT NULL CHECK (stopped IN (0, 1)),
    suspended_by INTEGER NOT NULL,
    moving       INTEGER NOT NULL CHECK (moving IN (0, 1)),
    PRIMARY KEY (task_id, token)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_chunk (
    project_id INTEGER NOT NULL,
    task_id    INTEGER NOT NULL,
    node       INTEGER NOT NULL,
    loop       INTEGER NOT NULL,
    retry      INTEGER NOT NULL,
    seq        INTEGER NOT NULL, -- place of its first byte in the log
    version    TEXT    NOT NULL, -- of the attempt when it was written
    size       INTEGER NOT NULL CHECK (size > 0), -- in bytes, before compression
    body       BLOB    NOT NULL, times BLOB, -- zstd
    PRIMARY KEY (task_id, node, loop, retry, seq)
) STRICT;

CREATE TABLE login_link (
    hash       BLOB    NOT NULL PRIMARY KEY,
    user_name  TEXT    NOT NULL, -- '': whoever uses it becomes admin
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE node_attempt (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id    INTEGER NOT NULL,
    task_id       INTEGER NOT NULL,
    node          INTEGER NOT NULL,
    ord           INTEGER NOT NULL,
    state         INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7),
    phase         INTEGER NOT NULL CHECK (phase BETWEEN 0 AND 4),
    call          INTEGER NOT NULL,
    loop          INTEGER NOT NULL,
    inner_loop    INTEGER NOT NULL,
    retry         INTEGER NOT NULL,
    auto_retries  INTEGER NOT NULL,
    skip          INTEGER NOT NULL CHECK (skip IN (0, 1)),
    error_ignored INTEGER NOT NULL CHECK (error_ignored IN (0, 1)),
    version       TEXT    NOT NULL,
    token         INTEGER NOT NULL,
    started_at    INTEGER,
    finished_at   INTEGER,
    due_at        INTEGER,
    deadline      INTEGER,
    inputs        BLOB,
    outputs       BLOB,
    template      BLOB,
    archived_at   INTEGER NOT NULL
, called_at INTEGER) STRICT;

CREATE INDEX node_attempt_node ON node_attempt (task_id, node, id);

CREATE TABLE node_data (
    project_id INTEGER NOT NULL,
    task_id    INTEGER NOT NULL,
    node       INTEGER NOT NULL,
    inputs     BLOB,
    outputs    BLOB,
    template   BLOB,
    PRIMARY KEY (task_id, node)
) STRICT, WITHOUT ROWID;

CREATE TABLE node_state (
    project_id    INTEGER NOT NULL,
    task_id       INTEGER NOT NULL,
    node          INTEGER NOT NULL,
    ord           INTEGER NOT NULL,
    state         INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7),
    phase         INTEGER NOT NULL CHECK (phase BETWEEN 0 AND 4),
    call          INTEGER NOT NULL,
    loop          INTEGER NOT NULL,
    inner_loop    INTEGER NOT NULL,
    retry         INTEGER NOT NULL,
    auto_retries  INTEGER NOT NULL,
    skip          INTEGER NOT NULL CHECK (skip IN (0, 1)),
    error_ignored INTEGER NOT NULL CHECK (error_ignored IN (0, 1)),
    version       TEXT    NOT NULL,
    token         INTEGER NOT NULL,
    started_at    INTEGER,
    finished_at   INTEGER,
    due_at        INTEGER,
    deadline      INTEGER, called_at INTEGER,
    PRIMARY KEY (task_id, node)
) STRICT, WITHOUT ROWID;

CREATE TABLE project (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL,
    biz        INTEGER NOT NULL, -- -1: bound to no business
    from_cmdb  INTEGER NOT NULL CHECK (from_cmdb IN (0, 1)),
    time_zone  TEXT    NOT NULL,
    disabled   INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX project_biz ON project (biz) WHERE biz <> -1;

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

CREATE TABLE role (
    user_name  TEXT    NOT NULL REFERENCES users (name),
    project_id INTEGER NOT NULL REFERENCES project (id),
    role       TEXT    NOT NULL CHECK (role IN ('viewer', 'operator', 'editor', 'admin')),
    PRIMARY KEY (user_name, project_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE scheme (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    template_id INTEGER NOT NULL REFERENCES template (id),
    name        TEXT    NOT NULL,
    nodes       TEXT    NOT NULL, -- JSON array of the ids of activities
    UNIQUE (template_id, name)
) STRICT;

CREATE TABLE session (
    hash       BLOB    NOT NULL PRIMARY KEY,
    user_name  TEXT    NOT NULL REFERENCES users (name),
    token      BLOB    REFERENCES user_token (hash) ON DELETE CASCADE, -- that opened it; NULL: a sign-in link did
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_token ON session (token);

CREATE TABLE task (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id      INTEGER NOT NULL,
    name            TEXT    NOT NULL,
    tree_hash       TEXT    NOT NULL,
    flow_type       TEXT    NOT NULL,
    claimed         INTEGER NOT NULL CHECK (claimed IN (0, 1)),
    deleted         INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    template_id     INTEGER NOT NULL, -- 0: a tree of its own
    template_source TEXT    NOT NULL,
    create_method   TEXT    NOT NULL,
    app             TEXT    NOT NULL,
    creator         TEXT    NOT NULL,
    executor        TEXT    NOT NULL,
    description     TEXT    NOT NULL,
    category        TEXT    NOT NULL,
    created_at      INTEGER,
    state           INTEGER NOT NULL CHECK (state IN (1, 3, 4, 5, 7)),
    version         TEXT    NOT NULL,
    started_at      INTEGER,
    finished_at     INTEGER,
    revision        INTEGER NOT NULL,
    epoch           INTEGER NOT NULL,
    live            INTEGER NOT NULL CHECK (live IN (0, 1)),
    wake_at         INTEGER, parent_id INTEGER NOT NULL DEFAULT 0, parent_node INTEGER NOT NULL DEFAULT 0, parent_version TEXT NOT NULL DEFAULT '', archived_at INTEGER,
    CHECK (id BETWEEN 1 AND 9007199254740991)
) STRICT;

CREATE INDEX task_age ON task (COALESCE(finished_at, created_at)) WHERE live = 0 AND archived_at IS NULL;

CREATE INDEX task_creator ON task (project_id, creator, id) WHERE deleted = 0;

CREATE INDEX task_live ON task (id) WHERE live = 1;

CREATE UNIQUE INDEX task_parent ON task (parent_id, parent_node, parent_version) WHERE parent_id <> 0;

CREATE INDEX task_project ON task (project_id, id, created_at, name) WHERE deleted = 0;

CREATE INDEX task_template ON task (project_id, template_id, id) WHERE deleted = 0;

CREATE TABLE task_archive (
    project_id INTEGER NOT NULL,
    task_id    INTEGER NOT NULL PRIMARY KEY,
    format     INTEGER NOT NULL, -- of the body
    nodes      INTEGER NOT NULL, -- in the body
    body       BLOB    NOT NULL  -- zstd
, calls BLOB) STRICT;

CREATE TABLE task_input (
    project_id INTEGER NOT NULL,
    task_id    INTEGER NOT NULL PRIMARY KEY,
    inputs     BLOB    NOT NULL
) STRICT;

CREATE TABLE template (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  INTEGER NOT NULL, -- 0: common
    name        TEXT    NOT NULL,
    category    TEXT    NOT NULL,
    description TEXT    NOT NULL,
    creator     TEXT    NOT NULL,
    editor      TEXT    NOT NULL,
    version     TEXT    NOT NULL, -- digest of the current one
    deleted     INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    created_at  INTEGER NOT NULL,
    edited_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX template_project ON template (project_id, id) WHERE deleted = 0;

CREATE TABLE template_version (
    template_id INTEGER NOT NULL REFERENCES template (id),
    version     TEXT    NOT NULL,
    body        BLOB    NOT NULL, -- zstd
    editor      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (template_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE transition (
    project_id INTEGER NOT NULL,
    task_id    INTEGER NOT NULL,
    revision   INTEGER NOT NULL, -- that the change made
    n          INTEGER NOT NULL, -- place in the change, from 0
    node       INTEGER NOT NULL,
    from_state INTEGER NOT NULL CHECK (from_state BETWEEN 0 AND 7),
    to_state   INTEGER NOT NULL CHECK (to_state BETWEEN 0 AND 7),
    actor      TEXT    NOT NULL,
    at         INTEGER, reason TEXT,
    PRIMARY KEY (task_id, revision, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE tree (
    hash     TEXT NOT NULL PRIMARY KEY,
    body     BLOB NOT NULL, -- zstd
    skeleton BLOB NOT NULL
) STRICT;

CREATE TABLE user_token (
    hash       BLOB    NOT NULL PRIMARY KEY,
    user_name  TEXT    NOT NULL REFERENCES users (name),
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    name       TEXT    NOT NULL PRIMARY KEY,
    admin      INTEGER NOT NULL CHECK (admin IN (0, 1)),
    disabled   INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE variable (
    project_id INTEGER NOT NULL,
    task_id    INTEGER NOT NULL,
    scope      INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    value      BLOB    NOT NULL,
    PRIMARY KEY (task_id, scope, key)
) STRICT, WITHOUT ROWID;
