package engine_test

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/plugin"
)

// errorLog passes on the texts of errors that are logged.
type errorLog chan string

func (l errorLog) Enabled(context.Context, slog.Level) bool { return true }
func (l errorLog) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l errorLog) WithGroup(string) slog.Handler            { return l }

func (l errorLog) Handle(_ context.Context, r slog.Record) error {
	if r.Level < slog.LevelError {
		return nil
	}
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	l <- text
	return nil
}

func (l errorLog) next(t *testing.T) string {
	t.Helper()
	select {
	case text := <-l:
		return text
	case <-time.After(30 * time.Second):
		t.Fatal("nothing was logged")
		return ""
	}
}

// spoil changes the stored record behind the back of a server that does not run.
func (r *rig) spoil(query string) {
	r.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(r.dir, "stdops.db"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	if done, err := db.ExecContext(r.t.Context(), query); err != nil {
		r.t.Fatal(err)
	} else if n, err := done.RowsAffected(); err != nil || n == 0 {
		r.t.Fatalf("%s: %d rows, %v", query, n, err)
	}
}

// TestEngineTellsOfADamagedRecord: a live task that lacks a part is not dropped without a word, and stays as it is stored.
func TestEngineTellsOfADamagedRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil string
		gone  bool
		want  string
	}{
		"no inputs":               {spoil: `DELETE FROM task_input`, want: "task 1 has no inputs: the record is damaged"},
		"inputs that are no JSON": {spoil: `UPDATE task_input SET inputs = CAST('{' AS BLOB)`, want: "the record is damaged"},
		"no tree":                 {gone: true, want: "tree of task 1: tree t does not exist: the record is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newScripted(plugin.Repeat)
			r := newRig(t, engine.Line(1), p)
			ref := r.create()
			r.do(ref, engine.Command{Kind: engine.Start})
			<-p.began
			before := r.load(ref).Task.Root
			cut, cancel := context.WithCancel(t.Context())
			cancel()
			r.close(cut)
			if c.spoil != "" {
				r.spoil(c.spoil)
			}
			r.gone.Store(c.gone)
			errors := make(errorLog, 100)
			r.log = slog.New(errors)
			r.open()
			if text := errors.next(t); !strings.Contains(text, "task cannot be driven") || !strings.Contains(text, c.want) {
				t.Errorf("logged: %s", text)
			}
			err := r.engine.Do(t.Context(), ref, engine.Command{Kind: engine.Pause})
			if err == nil || stdops.ErrorCode(err) != stdops.CodeInternal {
				t.Errorf("a command is answered %v", err)
			}
			task, err := r.store.Task(t.Context(), ref)
			if err != nil || task.Root.State != before.State || !task.Root.Live {
				t.Errorf("the task is %+v, %v; it was %+v", task.Root, err, before)
			}
		})
	}
}

// TestEngineTellsOfALiveTaskThatIsGone: nobody takes tasks away, so one that is to go on and is not there is told of. A
// command for one that never was is not.
func TestEngineTellsOfALiveTaskThatIsGone(t *testing.T) {
	t.Parallel()
	r := newRig(t, engine.Line(1), newScripted(plugin.Repeat))
	r.close(t.Context())
	errors := make(errorLog, 100)
	r.log = slog.New(errors)
	r.open()
	asked, live := stdops.TaskRef{Project: 1, Task: 8}, stdops.TaskRef{Project: 1, Task: 9}
	if err := r.engine.Do(t.Context(), asked, engine.Command{Kind: engine.Start}); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("the command is answered %v", err)
	}
	r.engine.Adopt(&stdops.Change{Project: live.Project, Task: live.Task})
	if text := errors.next(t); !strings.Contains(text, "task=9") {
		t.Errorf("logged: %s", text)
	}
}
