package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

// connector makes connections that say in their own words that they are gone while they are in a transaction. On what the
// driver says of that, [driver.ErrBadConn], a [sql.Conn] closes itself, which waits for the end of the transaction, which
// waits for whoever has asked.
type connector struct {
	driver.Connector
	refused *refusals
}

// refusals tells of connections that the server does not let in, now and then: a password or a database was changed under a
// process that runs.
type refusals struct {
	log  *slog.Logger // nil: whoever asked is told all of it
	told atomic.Bool  // within refusalsEvery
}

// refusalsEvery is how often they are told of.
const refusalsEvery = 10 * time.Second

func (r *refusals) tell(err error) {
	if r.log != nil && refusal(err) != "" && r.told.CompareAndSwap(false, true) {
		r.log.Error("store: the database does not let this process in", "error", err)
		time.AfterFunc(refusalsEvery, func() { r.told.Store(false) })
	}
}

// Connect makes a connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := c.Connector.Connect(ctx)
	if err != nil {
		c.refused.tell(err)
		return nil, err
	}
	return &connection{made.(*stdlib.Conn)}, nil
}

type connection struct{ *stdlib.Conn }

// errGone says that a connection was lost before it was asked.
var errGone = fmt.Errorf("the connection to the database was lost: %w", net.ErrClosed)

// QueryContext asks for rows.
func (c *connection) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.QueryContext(ctx, query, args)
	return rows, c.told(err)
}

// ExecContext carries out a statement.
func (c *connection) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	done, err := c.Conn.ExecContext(ctx, query, args)
	return done, c.told(err)
}

func (c *connection) told(err error) error {
	const idle = 'I'
	if errors.Is(err, driver.ErrBadConn) && c.Conn.Conn().PgConn().TxStatus() != idle {
		return errGone
	}
	return err
}
