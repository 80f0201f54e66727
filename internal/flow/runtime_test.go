package flow

import (
	"errors"
	"strings"
	"testing"

	"github.com/stdops/stdops"
)

// TestRuntimeRules: what bk-sops finds at the start only is told from what it finds in the tree as such.
func TestRuntimeRules(t *testing.T) {
	t.Parallel()
	limited := func(o *stdops.Object, path string) {
		activity := at(t, o, path).(*stdops.Object)
		activity.Set("timeout_config", value(t, `{"enable":true,"seconds":5}`))
		activity.Set("error_ignorable", true)
	}
	const clash = "timeout_config: timeout_config can not be enabled with error_ignorable or auto_retry at the same time"
	for _, c := range []struct {
		name, chains string
		change       func(*stdops.Object)
		want         string
		runtime      bool
	}{
		{"nothing", "S>A>E", func(*stdops.Object) {}, "", false},
		{"time limit", "S>A>E", func(o *stdops.Object) { limited(o, "activities.A") }, "activities.A." + clash, true},
		{"inside of a subprocess", "S>SUB>E", func(o *stdops.Object) {
			at(t, o, "activities.SUB").(*stdops.Object).Set("pipeline", sketch("S>A>E"))
			limited(o, "activities.SUB.pipeline.activities.A")
		}, "activities.SUB.pipeline.activities.A." + clash, true},
		{"behind the structure", "S>SUB>PG PG>A>E PG>B>E", func(o *stdops.Object) {
			at(t, o, "activities.SUB").(*stdops.Object).Set("pipeline", sketch("S>A>E"))
			limited(o, "activities.SUB.pipeline.activities.A")
		}, "gateways.PG: ", false},
		{"long key", "S>A>E", func(o *stdops.Object) { constant(t, o, "${"+strings.Repeat("k", 126)+"}", `"1"`) }, "constants.", true},
		{"bad key", "S>A>E", func(o *stdops.Object) { constant(t, o, "key", `"1"`) }, "constants.key: ", false},
		{"unknown type", "S>A>E", func(o *stdops.Object) {
			at(t, o, "activities.A").(*stdops.Object).Set("type", "Robot")
		}, `activities.A.type: "Robot" is not ServiceActivity or SubProcess`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := sketch(c.chains)
			c.change(o)
			tree, err := Parse(o)
			if err == nil {
				err = tree.Validate()
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if errors.Is(err, ErrRuntimeRule) != c.runtime {
				t.Errorf("a rule of execution: %v, want %v", !c.runtime, c.runtime)
			}
		})
	}
}
