package clock

import (
	"context"
	"log/slog"
	"time"
)

const (
	// watchEvery is how often the clock of the machine is looked at.
	watchEvery = 5 * time.Second
	// tolerated is how far it may be off before anybody is told: less happens to every machine when it starts.
	tolerated = 5 * time.Second
)

// Watch tells the log when the clock of the machine and the time of the server differ, and when they agree again, until
// ctx is done.
func (c *Clock) Watch(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for told := false; ; {
		told = tell(log, c.Ahead(), told)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tell gives whether the log knows now that there is a difference.
func tell(log *slog.Logger, ahead time.Duration, told bool) bool {
	differs := ahead.Abs() > tolerated
	switch {
	case differs && !told:
		log.Warn("the clock of the machine was set, or is behind the times on record: the server keeps its own time, and takes over a later one when it starts again",
			"ahead_seconds", ahead.Seconds())
	case told && !differs:
		log.Info("the clock of the machine agrees with the time of the server again")
	}
	return differs
}
