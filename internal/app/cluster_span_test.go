package app_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/stdops/stdops/internal/plugin"
)

// long is an effect whose call is out for as many seconds as its input says. When it has ended it writes down from when to
// when it was out.
type long struct {
	effect
	spans string // file
}

func longPlugin(dir string, e effect) plugin.Plugin { return long{e, spansFile(dir)} }

func spansFile(dir string) string { return filepath.Join(dir, "spans") }

// Execute leaves a trace and takes its time.
func (l long) Execute(ctx context.Context, call *plugin.Call) (plugin.Outcome, error) {
	began := time.Now()
	if err := l.record(l.rule, call.Key); err != nil {
		return plugin.Done, err
	}
	seconds, _ := strconv.Atoi(call.Inputs.Text("seconds"))
	ended := time.NewTimer(time.Duration(seconds) * time.Second)
	defer ended.Stop()
	var err error
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case <-ended.C:
	}
	file, opened := os.OpenFile(l.spans, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if opened != nil {
		return plugin.Done, opened
	}
	_, written := fmt.Fprintf(file, "%s %d %d %s\n", l.life, began.UnixNano(), time.Now().UnixNano(), call.Key)
	return plugin.Done, errors.Join(err, written, file.Close())
}

// span is from when to when a call was out.
type span struct {
	life         int
	began, ended int64
}

// checkSpans makes sure that no call was out twice at a time.
func (o *oracle) checkSpans(dir string) (overlaps int) {
	o.t.Helper()
	file, err := os.Open(spansFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		o.t.Fatal(err)
	}
	defer file.Close()
	earlier := make(map[string][]span) // by key
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var s span
		var key string
		if _, err := fmt.Sscan(lines.Text(), &s.life, &s.began, &s.ended, &key); err != nil {
			o.t.Fatalf("spans: %q: %v", lines.Text(), err)
		}
		for _, e := range earlier[key] {
			if s.began < e.ended && e.began < s.ended {
				overlaps++
				o.wrong("call %s was out in life %d and in life %d at the same time, for %v", key, e.life, s.life,
					time.Duration(min(s.ended, e.ended)-max(s.began, e.began)).Round(time.Millisecond))
			}
		}
		earlier[key] = append(earlier[key], s)
	}
	return overlaps
}
