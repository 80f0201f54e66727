package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/internal/plugin"
)

// TestDecideTimeAndChance: an attempt has one moment and its own chance, also when a crash lets its inputs be rendered
// again.
func TestDecideTimeAndChance(t *testing.T) {
	t.Parallel()
	w := constantsWorld(t)
	mustDo(t, w, set("w", "${datetime.datetime.now()} ${random.random()}", "q", "${random.random()}", "p", "${random.random()}"))
	w.now = w.now.Add(time.Hour)
	mustDo(t, w, Command{Kind: Start})
	first, began := w.given(t), w.now
	moment, drawn, _ := strings.Cut(first["w"].(string), " 0.")
	if want := began.Format(time.DateTime); moment != want {
		t.Errorf("now is %v, want %v", moment, want)
	}
	if first["q"] == "0."+drawn {
		t.Errorf("two variables are left to the same chance: %v", first)
	}
	w.now = w.now.Add(time.Minute)
	w.crash()
	if diff := cmp.Diff(first, w.given(t)); diff != "" {
		t.Errorf("after the crash (-before +after):\n%s", diff)
	}
	w.answerCall(0, plugin.Done, true)
	mustDo(t, w, Command{Kind: Retry, Node: w.nodeNamed("A3")})
	again := w.given(t)
	if again["w"] == first["w"] || again["q"] == first["q"] {
		t.Errorf("the attempt that follows is given what the first was: %v", again)
	}
}
