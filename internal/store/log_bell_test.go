package store

import (
	"testing"

	"github.com/stdops/stdops"
)

func TestHearLog(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	piece := stdops.LogPiece{LogKey: stdops.LogKey{TaskRef: ref(task), Node: 1, Loop: 1}, Version: "v1", Text: []byte("one\n")}
	other := piece
	other.Retry = 1
	rung := func(bell <-chan struct{}) bool {
		select {
		case <-bell:
			return true
		default:
			return false
		}
	}
	first, stop := s.HearLog(piece.LogKey)
	second, stopSecond := s.HearLog(piece.LogKey)
	appendLogs(t, s, other)
	if rung(first) || rung(second) {
		t.Error("rung for another log")
	}
	appendLogs(t, s, piece, piece)
	if !rung(first) || rung(first) || !rung(second) {
		t.Error("not rung once for each who hears")
	}
	stop()
	appendLogs(t, s, piece)
	if rung(first) || !rung(second) {
		t.Error("rung after the end, or for nobody")
	}
	stopSecond()
	if len(s.logBells.bells) > 0 {
		t.Errorf("%d logs are heard by nobody", len(s.logBells.bells))
	}
}
