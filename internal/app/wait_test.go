package app

import (
	"context"
	"errors"
	"testing"

	"github.com/stdops/stdops/internal/store"
)

func TestWaitEndsWithItsContextOrWithTheDisk(t *testing.T) {
	t.Parallel()
	a, err := New(t.Context(), Options{Listen: "127.0.0.1:0", DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Wait(ctx); err != nil {
		t.Errorf("a wait whose context is done ends with %v", err)
	}
	a.diskFailed(store.ErrDisk)
	if err := a.Wait(t.Context()); !errors.Is(err, store.ErrDisk) {
		t.Errorf("a wait whose disk failed ends with %v", err)
	}
}
