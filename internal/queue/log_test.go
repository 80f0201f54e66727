package queue

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestQuietLowersWhatIsInformation(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	plain := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		log := slog.New(quiet{slog.NewTextHandler(&b, &slog.HandlerOptions{Level: level, ReplaceAttr: plain})})
		log.Info("jobs", "n", 1)
		log.With("a", 1).WithGroup("g").Warn("slow", "n", 2)
	}
	const want = "level=WARN msg=slow a=1 g.n=2\nlevel=DEBUG msg=jobs n=1\nlevel=WARN msg=slow a=1 g.n=2\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}
