package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stdops/stdops"
)

// The refusals of PostgreSQL that are told apart.
const (
	uniqueViolation     = "23505"
	foreignKeyViolation = "23503"
	insufficientRight   = "42501"
	notInRepertoire     = "22021" // a NUL character, or no UTF-8
	undefinedTable      = "42P01"
	serializationFailed = "40001"
	deadlockDetected    = "40P01"
	diskFull            = "53100"
	tooManyConnections  = "53300"
	lockNotAvailable    = "55P03"
	queryCanceled       = "57014"
	adminShutdown       = "57P01"
	crashShutdown       = "57P02"
	cannotConnectNow    = "57P03"
	idleTooLong         = "25P03"
	readOnlyTransaction = "25006" // a server that has become a standby
)

// refusal gives the code of a refusal by PostgreSQL; "" is none.
func refusal(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// explain says in our words what callers have to know of an error of PostgreSQL; others are left alone.
func explain(err error) error {
	var told *stdops.Error
	if err == nil || errors.As(err, &told) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	fail := func(code stdops.Code, text string) error { return &stdops.Error{Code: code, Message: text, Err: err} }
	switch refusal(err) {
	case notInRepertoire:
		return fail(stdops.CodeInvalid, "a text holds the character NUL or is not UTF-8: the database stores no such text")
	case diskFull:
		return fail(stdops.CodeDiskFull, "the disk of the database is full")
	case serializationFailed, deadlockDetected, lockNotAvailable:
		return fail(stdops.CodeUnavailable, "others write the same at this moment, try again")
	case queryCanceled:
		return fail(stdops.CodeUnavailable, "the database took too long, try again or ask for less at once")
	}
	if refusal(err) == readOnlyTransaction {
		return fail(stdops.CodeUnavailable, "the database takes no writes: it is a standby, or set to be read-only")
	}
	var connect *pgconn.ConnectError
	if disconnected(err) || errors.As(err, &connect) { // also one that the server refuses: its password or database was changed
		return unavailable(err)
	}
	return err
}

// advised adds what whoever looks after the database can do.
func advised(err error) error {
	switch refusal(err) {
	case insufficientRight:
		return fmt.Errorf("%w: the user of --db has to own the tables, and to make some it needs the right CREATE on their schema", err)
	case readOnlyTransaction:
		return fmt.Errorf("%w: --db leads to a standby, or to a database that is set to be read-only", err)
	}
	return err
}

// Unavailable reports whether an error, of this package or of others that ask the same database, says that the database cannot
// be reached at the moment.
func Unavailable(err error) bool {
	return err != nil && (stdops.ErrorCode(err) == stdops.CodeUnavailable || disconnected(err))
}

func unavailable(err error) error {
	return &stdops.Error{Code: stdops.CodeUnavailable, Message: "the database is not available, try again", Err: err}
}

// disconnected reports whether err says that the server could not be asked, or did not answer: what it was asked for may
// have happened.
func disconnected(err error) bool {
	switch refusal(err) {
	case adminShutdown, crashShutdown, cannotConnectNow, tooManyConnections, idleTooLong, readOnlyTransaction:
		return true
	case "":
	default:
		return false
	}
	var (
		connect *pgconn.ConnectError
		network net.Error
	)
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &connect) || errors.As(err, &network) ||
		pgconn.Timeout(err) || pgconn.SafeToRetry(err) || errors.Is(err, pgconn.ErrConnClosed)
}
