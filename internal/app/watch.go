package app

import (
	"context"

	"github.com/stdops/stdops/client"
)

// tell lets those who watch tasks hear of changes, in this process and in others.
func (a *App) tell(ctx context.Context) {
	a.serving.Go(func() error { a.store.TellChanges(ctx); return nil })
	if a.watch == nil {
		return
	}
	stop := a.store.Changes(a.watch.Changed) // before the first question
	a.serving.Go(func() error {
		defer stop()
		a.watch.Run(ctx)
		return nil
	})
	a.serving.Go(func() error { a.store.HearChanges(ctx); return nil })
}

// stopWatching ends all streams, so that nothing waits for them: who watches goes on elsewhere, or here when there is a
// server again.
func (a *App) stopWatching(context.Context) error {
	if a.watch != nil {
		a.watch.Stop(client.EndDraining)
	}
	return nil
}
