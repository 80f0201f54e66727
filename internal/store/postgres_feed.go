package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stdops/stdops"
)

const (
	// changeChannel is where processes tell one another which tasks they have changed.
	changeChannel = "stdops_changed"
	// tellPause is the least time between two notifications of a process. Transactions that notify wait for one another.
	tellPause = 50 * time.Millisecond
	// longestNotice is less than the 8,000 bytes that PostgreSQL takes, and mostNotices how many travel together; when more
	// has changed it is said that some may have been missed.
	longestNotice = 7900
	mostNotices   = 4
	// missedSome is the notice for that.
	missedSome = "*"
)

// outbox holds what others are to be told.
type outbox struct {
	sender string // names this process, which need not hear itself
	ready  chan struct{}

	mu      sync.Mutex
	changes map[stdops.TaskRef]int64 // by their newest revisions
}

func newOutbox() *outbox {
	return &outbox{sender: strconv.FormatUint(rand.Uint64(), 36), ready: make(chan struct{}, 1), changes: map[stdops.TaskRef]int64{}}
}

// mostOutbox bounds the changes that are kept for others while the database takes none.
const mostOutbox = 10_000

func (o *outbox) put(changes []stdops.TaskRevision) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range changes {
		if len(o.changes) == mostOutbox {
			break // these are too many to be told one by one
		}
		o.changes[c.Ref] = max(o.changes[c.Ref], c.Revision)
	}
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// take gives what is to be told, as notices.
func (o *outbox) take() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []string
	notice := []byte(o.sender)
	for ref, revision := range o.changes {
		text := ":" + strconv.FormatInt(int64(ref.Project), 36) + "." + strconv.FormatInt(int64(ref.Task), 36) + "." + strconv.FormatInt(revision, 36)
		if len(notice)+len(text) > longestNotice {
			list = append(list, string(notice))
			notice = append(notice[:0], o.sender...)
		}
		notice = append(notice, text...)
	}
	if list = append(list, string(notice)); len(list) > mostNotices {
		list = []string{o.sender + ":" + missedSome}
	}
	if len(o.changes) == 0 {
		list = nil
	}
	clear(o.changes)
	return list
}

// read reads a notice: nil, true when some may have been missed.
func (o *outbox) read(notice string) (changes []stdops.TaskRevision, foreign bool) {
	sender, rest, _ := strings.Cut(notice, ":")
	if sender == o.sender {
		return nil, false
	}
	for part := range strings.SplitSeq(rest, ":") {
		var numbers [3]int64
		fields := strings.Split(part, ".")
		if len(fields) != len(numbers) {
			return nil, true
		}
		for i, field := range fields {
			n, err := strconv.ParseInt(field, 36, 64)
			if err != nil {
				return nil, true
			}
			numbers[i] = n
		}
		ref := stdops.TaskRef{Project: stdops.ProjectID(numbers[0]), Task: stdops.TaskID(numbers[1])}
		changes = append(changes, stdops.TaskRevision{Ref: ref, Revision: numbers[2]})
	}
	return changes, true
}

// TellChanges tells other processes which tasks this one has changed, until ctx ends, at most 20 times a second and never in
// the transaction of a change. What cannot be told they find out by asking.
func (s *Store) TellChanges(ctx context.Context) {
	if s.pg == nil {
		return
	}
	for ctx.Err() == nil {
		select {
		case <-s.pg.outbox.ready:
		case <-ctx.Done():
		}
		if err := s.tellOnce(context.WithoutCancel(ctx)); err != nil { // also when it ends: what was done last is told
			s.log.Debug("store: other processes could not be told what has changed", "error", err)
		}
		select {
		case <-time.After(tellPause):
		case <-ctx.Done():
		}
	}
}

func (s *Store) tellOnce(ctx context.Context) error {
	notices := s.pg.outbox.take()
	if len(notices) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	// Nothing is lost with a notice, so nobody waits until it is on disk.
	_, err := s.pg.writers.ExecContext(ctx, `
		SELECT set_config('synchronous_commit', 'off', true), (SELECT count(pg_notify('`+changeChannel+`', n)) FROM unnest($1::text[]) n)`, notices)
	return err
}

// HearChanges lets those who listen to [Store.Changes] hear what other processes have changed, until ctx ends. When it begins
// to hear, again after a lost connection too, it tells them that they may have missed something.
func (s *Store) HearChanges(ctx context.Context) {
	if s.pg == nil {
		return
	}
	for ctx.Err() == nil {
		err := s.hearChanges(ctx)
		if ctx.Err() == nil {
			s.log.Warn("store: what other processes change is not heard for a while", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (s *Store) hearChanges(ctx context.Context) (err error) {
	conn, err := pgx.Connect(ctx, s.pg.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if _, err := conn.Exec(ctx, `LISTEN `+changeChannel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.feed.tell(nil)
	for {
		said, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if changes, foreign := s.pg.outbox.read(said.Payload); foreign {
			s.feed.tell(changes)
		}
	}
}
