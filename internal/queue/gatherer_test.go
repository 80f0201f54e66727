package queue

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func TestGathererClaimsTogetherWhatCameMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		g := newGatherer()
		claims, answer := make(chan []stdops.TaskRef), make(chan struct{})
		go g.run(ctx, func(_ context.Context, refs []stdops.TaskRef) {
			claims <- refs
			<-answer
		})
		claimed := make(chan error, 5)
		claim := func(task stdops.TaskID) {
			go func() { claimed <- g.claim(ctx, stdops.TaskRef{Project: 1, Task: task}) }()
			synctest.Wait()
		}
		claim(5)
		got := [][]stdops.TaskRef{<-claims}
		for _, task := range []stdops.TaskID{7, 6, 7} {
			claim(task)
		}
		answer <- struct{}{}
		got = append(got, <-claims)
		synctest.Wait()
		if len(claimed) != 1 || <-claimed != nil {
			t.Error("the end of the first claim did not end one job")
		}
		answer <- struct{}{}
		synctest.Wait()
		if len(claimed) != 3 {
			t.Errorf("the end of the second claim ended %d jobs", len(claimed))
		}
		want := [][]stdops.TaskRef{{{Project: 1, Task: 5}}, {{Project: 1, Task: 6}, {Project: 1, Task: 7}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("claims (-want +got):\n%s", diff)
		}
		stop()
		<-g.done
	})
}
