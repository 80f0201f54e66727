package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stdops/stdops"
)

// write runs fn in a write transaction, the only one of its kind at a time, also among processes: what fn has read stays as
// it is. ctx bounds the wait for its turn: a transaction that has begun is carried to its end, so that no caller is left not
// knowing whether it was stored; on PostgreSQL, which may stop answering, until the deadline of ctx, if it has one.
func (s *Store) write(ctx context.Context, fn func(context.Context, *sql.Conn) error) error {
	if s.pg != nil {
		return s.pg.write(ctx, alone(fn))
	}
	return s.writeFile(ctx, fn)
}

// writeBeside is write for what is done too often to wait for all others: on PostgreSQL other transactions run at the same
// time, and fn has to lock what it reads and relies on. There it is given the transaction as well.
func (s *Store) writeBeside(ctx context.Context, fn func(context.Context, *sql.Conn, *sql.Tx) error) error {
	if s.pg != nil {
		return writeOn(ctx, s.pg.writers, fn)
	}
	return s.writeFile(ctx, func(ctx context.Context, tx *sql.Conn) error { return fn(ctx, tx, nil) })
}

// read runs fn in one read transaction: all its statements see the same moment.
func (s *Store) read(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	return s.readOn(ctx, func(ctx context.Context, _ *sql.Conn, tx *sql.Tx) error { return fn(ctx, tx) })
}

// readOn is read for those who need the connection as well.
func (s *Store) readOn(ctx context.Context, fn func(context.Context, *sql.Conn, *sql.Tx) error) error {
	conn, err := s.readers.Conn(ctx)
	if err != nil {
		return fmt.Errorf("wait to read: %w", explain(err))
	}
	defer conn.Close()
	limited, cancel := context.WithTimeout(ctx, s.readLimit)
	defer cancel()
	tx, err := conn.BeginTx(limited, s.readOptions())
	if err != nil {
		return fmt.Errorf("begin to read: %w", explain(err))
	}
	defer func() { _ = tx.Rollback() }()
	err = fn(limited, conn, tx)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		text := fmt.Sprintf("reading took longer than %v: ask for less at once", s.readLimit)
		return &stdops.Error{Code: stdops.CodeUnavailable, Message: text, Err: err}
	}
	return explain(err)
}

// readOptions are those of a transaction whose statements see the same moment.
func (s *Store) readOptions() *sql.TxOptions {
	if s.pg != nil {
		return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	return &sql.TxOptions{ReadOnly: true}
}

// briefly runs a query by itself that every request waits for, as long as one may read: from a database that has fallen silent
// no answer comes, nor an error.
func (s *Store) briefly(ctx context.Context, query func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, s.readLimit)
	defer cancel()
	err := query(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return unavailable(err)
	}
	return explain(err)
}
