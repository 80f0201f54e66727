package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/plugin"
)

func requestKey(text string) *stdops.RequestKey {
	return &stdops.RequestKey{Project: 1, Owner: "app shop", Key: text, Request: []byte("hash"), Expires: time.Now().Add(time.Hour)}
}

// executing starts a task whose first node, of index 2, stays in its call: callbacks for it are kept and not handled.
func (r *rig) executing(p *scripted) stdops.TaskRef {
	r.t.Helper()
	ref := r.create()
	r.do(ref, engine.Command{Kind: engine.Start})
	<-p.began
	return ref
}

// TestEngineKeysHaveOneEffect: callers repeat their commands until they know, while commits are stored without an answer
// or not at all, somebody else raises the revision, and the process ends and starts again. Each key has one effect.
func TestEngineKeysHaveOneEffect(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Repeat)
	r := newRig(t, engine.Line(1), p)
	defer close(p.leave)
	rapid.Check(t, func(rt *rapid.T) {
		refs := []stdops.TaskRef{r.executing(p), r.executing(p)}
		keys := rapid.IntRange(1, 4).Draw(rt, "keys")
		callers := rapid.SliceOfN(rapid.IntRange(0, 1000), 1, 24).Draw(rt, "callers")
		run := fmt.Sprint(refs[0].Task) // no key of an earlier run
		r.unheard.Store(rapid.Int32Range(0, 3).Draw(rt, "lost"))
		if rapid.Bool().Draw(rt, "stale") {
			raise := func([]stdops.Change) { _ = r.raise(refs[0]) }
			r.onCommit.Store(&raise)
		}
		var all sync.WaitGroup
		for _, c := range callers {
			key := run + strings.Repeat("k", c%keys)
			all.Go(func() {
				for {
					err := r.engine.Do(t.Context(), refs[c/keys%2], engine.Command{Kind: engine.CallBack, Node: 2, Data: key, Key: requestKey(key)})
					if err == nil || errors.Is(err, stdops.ErrRepeated) {
						return
					}
					if stdops.ErrorCode(err) != stdops.CodeUnavailable {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		r.unheard.Store(0)
		effects := map[string]int{}
		for _, ref := range refs {
			for _, c := range r.load(ref).Callbacks {
				effects[string(c.Data)]++
			}
		}
		for key, n := range effects {
			if n != 1 {
				rt.Errorf("%d effects of the key %s", n, key)
			}
		}
		if len(effects) == 0 || len(effects) > keys {
			rt.Errorf("effects of %d keys, of %d that were sent", len(effects), keys)
		}
	})
}

// TestEngineRefusalKeepsNoKey: what was refused may be tried again under the same key.
func TestEngineRefusalKeepsNoKey(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Repeat)
	r := newRig(t, engine.Line(1), p)
	defer close(p.leave)
	ref := r.create()
	pause := engine.Command{Kind: engine.Pause, Key: requestKey("k")}
	if err := r.engine.Do(t.Context(), ref, pause); stdops.ErrorCode(err) != stdops.CodeRefused {
		t.Errorf("pause before the start: %v", err)
	}
	r.do(ref, engine.Command{Kind: engine.Start})
	r.do(ref, pause)
	r.do(ref, engine.Command{Kind: engine.Resume})
	if err := r.engine.Do(t.Context(), ref, pause); !errors.Is(err, stdops.ErrRepeated) {
		t.Errorf("the same pause again: %v", err)
	}
}

// TestEngineKeySurvivesTheEndOfTheProcess: the command was carried out, its caller knows nothing, and a new process is
// asked again.
func TestEngineKeySurvivesTheEndOfTheProcess(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Repeat)
	r := newRig(t, engine.Line(1), p)
	defer close(p.leave)
	ref := r.create()
	start := engine.Command{Kind: engine.Start, Key: requestKey("k")}
	r.unheard.Store(1)
	if err := r.engine.Do(t.Context(), ref, start); stdops.ErrorCode(err) != stdops.CodeUnavailable {
		t.Errorf("a start of which nobody knows whether it was stored: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	r.close(over)
	r.open()
	if err := r.engine.Do(t.Context(), ref, start); !errors.Is(err, stdops.ErrRepeated) {
		t.Errorf("the same start again: %v", err)
	}
}
