package store

import (
	"sync"

	"github.com/stdops/stdops"
)

// logBells are rung when this process has written into logs.
type logBells struct {
	mu    sync.Mutex
	bells map[stdops.LogKey]map[chan struct{}]struct{}
}

// HearLog gives a bell that holds a token once this process has written into a log, until stop is called. On SQLite nobody else
// writes; on PostgreSQL another process may have ([Store.LogSize]).
func (s *Store) HearLog(key stdops.LogKey) (bell <-chan struct{}, stop func()) {
	b, c := &s.logBells, make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bells == nil {
		b.bells = map[stdops.LogKey]map[chan struct{}]struct{}{}
	}
	if b.bells[key] == nil {
		b.bells[key] = map[chan struct{}]struct{}{}
	}
	b.bells[key][c] = struct{}{}
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if delete(b.bells[key], c); len(b.bells[key]) == 0 {
			delete(b.bells, key)
		}
	}
}

func (b *logBells) ring(pieces []stdops.LogPiece) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range pieces {
		for c := range b.bells[pieces[i].LogKey] {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
}
