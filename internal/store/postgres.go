package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/stdops/stdops"
)

// oldestPostgres is the oldest version of the server that is supported, as server_version_num has it.
const oldestPostgres = 140000

// writeLock is the number of the advisory lock of those who must be the only one of their kind to write.
const writeLock = 0x7374646f7073_02

// What one statement may take at most on PostgreSQL, and one wait for a lock. A transaction of which nothing is heard for the
// last is taken back: the process may be stopped or cut off, and others wait for the tasks that it holds, which they are to
// have when its lease is over.
const (
	statementLimit = 15 * time.Second
	lockLimit      = 10 * time.Second
	silenceLimit   = 5 * time.Second
)

// writeLimit ends a transaction of many statements of which the server says nothing.
const writeLimit = time.Minute

// sharers is how many statements of [Workers] there are at once: one renews the lease, one takes tasks, one lets them go.
const sharers = 3

// postgres is what a [Store] has on PostgreSQL, beside its readers.
type postgres struct {
	url     string
	writers *sql.DB // for transactions of many statements
	batches *sql.DB // for [Store.Commit]
	sharing *sql.DB // for [Workers]: a crowd of requests must not keep a process from renewing its lease
	clock   *databaseClock
	outbox  *outbox
	texts   batchTexts

	// leave asks others to go on with a task that was started; nil asks nobody.
	leave func(context.Context, *sql.Tx, []stdops.Wake) error

	insist time.Duration // how long Commit waits for a database that is gone
}

// poolOptions say how connections are used.
type poolOptions struct {
	most     int
	settings string // further ones
	tracer   pgx.QueryTracer
	log      *slog.Logger // of what cannot be told to who asks; nil: none
}

// Settings of the connections that read, and of those that run the batch statement. Of that the server makes one plan for
// good: what it joins are the rows of the batch, which have no index, and rows that are found by a list of ids. So
// nothing is to be read from end to end, nor joined by going through one list for each row of another, which looks
// cheap for as few rows as it expects.
const (
	readSettings  = `SET default_transaction_read_only = on;`
	batchSettings = `SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_nestloop = off; SET enable_mergejoin = off;`
)

// sessionSettings are those of every connection. What a commit has acknowledged is on disk, whatever the server's own
// setting; one that asks for more stays.
func sessionSettings() string {
	return fmt.Sprintf(`
		SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply';
		SET application_name = 'stdops';
		SET statement_timeout = %d;
		SET lock_timeout = %d;
		SET idle_in_transaction_session_timeout = %d;
		SET jit = off;`, statementLimit.Milliseconds(), lockLimit.Milliseconds(), silenceLimit.Milliseconds())
}

// openPool makes a pool of connections, of which none is made yet.
func openPool(url string, o poolOptions) (*sql.DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the address of the database: %w", err) // pgx leaves out the password
	}
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, 5*time.Second)
	config.Tracer = o.tracer
	db := sql.OpenDB(connector{refused: &refusals{log: o.log}, Connector: stdlib.GetConnector(*config, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		types := conn.TypeMap()
		types.TryWrapEncodePlanFuncs = append([]pgtype.TryWrapEncodePlanFunc{flagAsNumber}, types.TryWrapEncodePlanFuncs...)
		_, err := conn.PgConn().Exec(ctx, sessionSettings()+o.settings).ReadAll()
		return err
	}))})
	db.SetMaxOpenConns(o.most)
	db.SetMaxIdleConns(o.most)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// flagAsNumber lets a bool be the parameter of a column of 0 and 1.
func flagAsNumber(value any) (plan pgtype.WrappedEncodePlanNextSetter, next any, ok bool) {
	flag, ok := value.(bool)
	if !ok {
		return nil, nil, false
	}
	return &flagPlan{}, asNumber(flag), true
}

func asNumber(flag bool) int64 {
	if flag {
		return 1
	}
	return 0
}

type flagPlan struct{ next pgtype.EncodePlan }

// SetNext fulfils pgtype.WrappedEncodePlanNextSetter.
func (p *flagPlan) SetNext(next pgtype.EncodePlan) { p.next = next }

// Encode fulfils pgtype.EncodePlan.
func (p *flagPlan) Encode(value any, buf []byte) ([]byte, error) {
	return p.next.Encode(asNumber(value.(bool)), buf)
}

// openDatabase connects to a PostgreSQL database, which has to have the schema of this program.
func (s *Store) openDatabase(ctx context.Context, o *Options) (err error) {
	s.pg = &postgres{url: o.DB, insist: defaultInsist, outbox: newOutbox()}
	s.projects.shared = true
	processors := runtime.GOMAXPROCS(0)
	for _, pool := range []struct {
		to **sql.DB
		o  poolOptions
	}{
		{&s.readers, poolOptions{most: max(8, 2*processors), settings: readSettings, tracer: o.tracer}},
		{&s.pg.writers, poolOptions{most: max(4, processors)}},
		{&s.pg.batches, poolOptions{most: 2, settings: batchSettings}},
		{&s.pg.sharing, poolOptions{most: sharers, tracer: o.tracer}},
	} {
		pool.o.log = s.log
		if *pool.to, err = openPool(o.DB, pool.o); err != nil {
			return err
		}
	}
	if err := s.checkServer(ctx); err != nil {
		return err
	}
	if err := checkEncoding(ctx, s.readers); err != nil {
		return err
	}
	if err := checkPostgresSchema(ctx, s.readers); err != nil {
		return err
	}
	s.pg.clock = &databaseClock{local: s.now, fixed: o.ownTime}
	return s.MeasureTime(ctx)
}

// checkServer refuses a server that is too old, and warns of one that does not keep what it acknowledges.
func (s *Store) checkServer(ctx context.Context) error {
	var version int
	var name, fsync, pages string
	var standby bool
	err := s.readers.QueryRowContext(ctx, `
		SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_setting('fsync'),
			current_setting('full_page_writes'), pg_is_in_recovery()`).Scan(&version, &name, &fsync, &pages, &standby)
	if err != nil && disconnected(err) {
		err = &stdops.Error{Code: stdops.CodeUnavailable, Message: err.Error(), Err: err} // whoever starts the server is to see all of it
	}
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	if standby { // it may be about to become the primary
		return stdops.Errorf(stdops.CodeUnavailable, "the database server is a standby, which takes no writes: --db has to lead to the primary")
	}
	if version < oldestPostgres {
		return fmt.Errorf("the database is PostgreSQL %s, at least %d is needed", name, oldestPostgres/10000)
	}
	if fsync != "on" || pages != "on" {
		s.log.Warn("store: the settings of the database server lose what was acknowledged when it crashes", "fsync", fsync, "full_page_writes", pages)
	}
	return nil
}

// Ping reports whether the database answers. On SQLite it always does.
func (s *Store) Ping(ctx context.Context) error {
	if s.pg == nil {
		return nil
	}
	return explain(s.readers.PingContext(ctx))
}

func (p *postgres) close() error {
	var errs []error
	for _, db := range []*sql.DB{p.writers, p.batches, p.sharing} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// write runs fn in a write transaction, which is carried to its end once it has begun: only the deadline of ctx ends it, as
// whoever gave it has to know then.
func (p *postgres) write(ctx context.Context, fn func(context.Context, *sql.Conn) error) error {
	return writeOn(ctx, p.writers, func(ctx context.Context, conn *sql.Conn, _ *sql.Tx) error { return fn(ctx, conn) })
}

// writeOn is write for those who need the transaction as well, on a connection of a pool.
func writeOn(ctx context.Context, pool *sql.DB, fn func(context.Context, *sql.Conn, *sql.Tx) error) error {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("wait to write: %w", late(err))
	}
	defer conn.Close()
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeLimit)
	defer cancel()
	if deadline, ok := ctx.Deadline(); ok {
		whole, cancel = context.WithDeadline(whole, deadline)
		defer cancel()
	}
	err = transactOn(whole, conn, fn)
	leaveStandby(conn, err)
	return late(err)
}

// late is explain where a time limit of ours means that the database is silent.
func late(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return unavailable(err)
	}
	return explain(err)
}

// leaveStandby closes a connection to a server that takes no writes any more: another one does, to which the address leads now.
func leaveStandby(conn *sql.Conn, err error) {
	if refusal(err) == readOnlyTransaction {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// transact runs fn in a transaction on a connection.
func transact(ctx context.Context, conn *sql.Conn, fn func(context.Context, *sql.Conn) error) error {
	return transactOn(ctx, conn, func(ctx context.Context, conn *sql.Conn, _ *sql.Tx) error { return fn(ctx, conn) })
}

func transactOn(ctx context.Context, conn *sql.Conn, fn func(context.Context, *sql.Conn, *sql.Tx) error) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	if err := fn(ctx, conn, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// alone lets fn be the only one of its kind, in all processes, until its transaction has ended.
func alone(fn func(context.Context, *sql.Conn) error) func(context.Context, *sql.Conn) error {
	return func(ctx context.Context, tx *sql.Conn) error {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, writeLock); err != nil {
			return fmt.Errorf("wait to write: %w", err)
		}
		return fn(ctx, tx)
	}
}
