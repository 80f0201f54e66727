package store

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
)

// firstToRoll is the first step that is taken beside processes which do not know of it. Those before it were made when no
// version was in use that could be one of these.
const firstToRoll = 11

// What a step may do beside processes that do not know of it (CONTRIBUTING.md, Add a migration).
var (
	comment   = regexp.MustCompile(`(?m)--.*$`)
	spaces    = regexp.MustCompile(`\s+`)
	newTable  = regexp.MustCompile(`^CREATE (?:TABLE|SEQUENCE) (\w+)`)
	newColumn = regexp.MustCompile(`^ALTER TABLE (\w+) ADD COLUMN (IF NOT EXISTS )?\w+ \w+( COLLATE "C")?( NOT NULL DEFAULT ('[^']*'|-?\d+))?$`)
	newIndex  = regexp.MustCompile(`^CREATE INDEX CONCURRENTLY (\w+) ON \w+ `)
	noIndex   = regexp.MustCompile(`^DROP INDEX CONCURRENTLY IF EXISTS (\w+)$`)
	onTable   = regexp.MustCompile(`^(?:ALTER TABLE|CREATE (?:UNIQUE )?INDEX \w+ ON|INSERT INTO|UPDATE) (\w+)`)
)

// unfit says what of a step processes that do not know of it, or their callers, would notice; "" is nothing.
func unfit(step string) string {
	made, dropped, changed := map[string]bool{}, map[string]bool{}, map[string]bool{}
	alone := strings.Contains(step, "-- +goose NO TRANSACTION")
	for _, statement := range strings.Split(comment.ReplaceAllString(step, ""), ";") {
		statement = strings.TrimSpace(spaces.ReplaceAllString(statement, " "))
		if statement == "" {
			continue
		}
		if m := newTable.FindStringSubmatch(statement); m != nil {
			made[m[1]] = true
			continue
		}
		if m := onTable.FindStringSubmatch(statement); m != nil && made[m[1]] {
			continue
		}
		if m := noIndex.FindStringSubmatch(statement); m != nil && alone {
			dropped[m[1]] = true
			continue
		}
		if m := newIndex.FindStringSubmatch(statement); m != nil && dropped[m[1]] {
			continue
		}
		m := newColumn.FindStringSubmatch(statement)
		if m == nil {
			return statement
		}
		changed[m[1]] = true
		switch again := m[2] != ""; {
		case len(changed) > 1 && !alone:
			return "more than one table that is in use is changed at a time: " + statement
		case alone && !again:
			return "after an interruption it cannot be taken again: " + statement
		}
	}
	return ""
}

// TestMigrationsBesideOlderProcesses holds every step to what processes of the version before can live with.
func TestMigrationsBesideOlderProcesses(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(embedded, postgresSteps+"/*.sql")
	must(t, err)
	for _, name := range names {
		number, err := goose.NumericComponent(name)
		must(t, err)
		text, err := embedded.ReadFile(name)
		must(t, err)
		if what := unfit(string(text)); what != "" && number >= firstToRoll {
			t.Errorf("%s: processes of the version before cannot live with: %s", name, what)
		}
	}
}

func TestUnfit(t *testing.T) {
	t.Parallel()
	for text, fit := range map[string]bool{
		`ALTER TABLE task ADD COLUMN a bigint; -- why`:                                                            true,
		`ALTER TABLE task ADD COLUMN a text COLLATE "C" NOT NULL DEFAULT ''; ALTER TABLE task ADD COLUMN b bytea`: true,
		`CREATE TABLE a (id bigint PRIMARY KEY, b text NOT NULL); CREATE UNIQUE INDEX c ON a (b); INSERT INTO a (id) VALUES (1);
			ALTER TABLE a ALTER COLUMN b SET STORAGE EXTERNAL`: true,
		"-- +goose NO TRANSACTION\nDROP INDEX CONCURRENTLY IF EXISTS a; CREATE INDEX CONCURRENTLY a ON task (name);": true,

		`ALTER TABLE task ADD COLUMN a text NOT NULL`:                                 false,
		`ALTER TABLE task ADD COLUMN a bigint NOT NULL DEFAULT random()`:              false, // writes every row
		`ALTER TABLE task ADD COLUMN a bigint UNIQUE`:                                 false,
		`ALTER TABLE task DROP COLUMN name`:                                           false,
		`ALTER TABLE task RENAME COLUMN name TO title`:                                false,
		`ALTER TABLE task ALTER COLUMN wake_at SET NOT NULL`:                          false,
		`ALTER TABLE task ADD CHECK (id > 0)`:                                         false,
		`ALTER TABLE task ADD COLUMN a bigint; ALTER TABLE event ADD COLUMN a bigint`: false, // two at a time
		"-- +goose NO TRANSACTION\nALTER TABLE task ADD COLUMN IF NOT EXISTS a bigint; ALTER TABLE event ADD COLUMN IF NOT EXISTS a bigint": true,
		"-- +goose NO TRANSACTION\nALTER TABLE task ADD COLUMN a bigint":                                                                    false, // what was interrupted stays in the way
		`CREATE INDEX a ON task (name)`:                                                             false, // nobody could write meanwhile
		`CREATE INDEX CONCURRENTLY a ON task (name)`:                                                false, // what was interrupted stays in the way
		"-- +goose NO TRANSACTION\nDROP INDEX CONCURRENTLY IF EXISTS task_live":                     true,
		`UPDATE task SET name = ''`:                                                                 false,
		`DROP TABLE scheme`:                                                                         false,
		`CREATE TRIGGER a AFTER INSERT ON task EXECUTE FUNCTION raise_identity_version()`:           false,
		`INSERT INTO meta (name, value) VALUES ('a', 1)`:                                            false,
		"-- +goose NO TRANSACTION\nDROP INDEX CONCURRENTLY IF EXISTS a; ALTER TABLE task DROP name": false,
	} {
		if what := unfit(text); fit != (what == "") {
			t.Errorf("%s\nis fit: %t, but for %q", text, fit, what)
		}
	}
}
