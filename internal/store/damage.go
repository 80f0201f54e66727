package store

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
)

// ErrDamaged is wrapped by the refusal of a database whose files are not what was written. Nothing was changed in them.
var ErrDamaged = errors.New("the database is damaged")

// checkedAlways is how large a database may be to be checked at every start. A larger one is checked after a start that did
// not come to a clean end: some hundred megabytes a second is what a check does.
const checkedAlways = 256 << 20

func damaged(file, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s. Nothing was changed. To go on, move the data directory elsewhere, put a backup in its place "+
		"(stdops backup restore DIR) and start again (docs/operations.md)", ErrDamaged, file, fmt.Sprintf(format, args...))
}

// checkFiles looks whether the files of a database are sound, before anything is written.
func checkFiles(ctx context.Context, file, vfs string, log *slog.Logger) error {
	size, err := sizeOf(file)
	if err != nil {
		return err
	}
	logSize, err := sizeOf(file + "-wal")
	if err != nil {
		return err
	}
	if size == 0 && logSize > 0 {
		return damaged(file, "it is empty or missing, and its log is not")
	}
	if size == 0 || size > checkedAlways && logSize == 0 {
		return nil
	}
	if err := checkLog(file); err != nil {
		return err
	}
	began := time.Now()
	said, err := quickCheck(ctx, file, vfs)
	if errors.Is(err, sqlite3.READONLY) {
		// A first start ended before there was a log, and what it began is to be taken back. Nothing was acknowledged yet.
		return nil
	}
	if errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.NOTADB) {
		said, err = err.Error(), nil
	}
	if err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	if said != "ok" {
		return damaged(file, "%s", said)
	}
	if took := time.Since(began); took > time.Second {
		log.Info("store: the database was checked", "bytes", size, "took", took.Round(time.Millisecond))
	}
	return nil
}

func sizeOf(file string) (int64, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("check database: %w", err)
	}
	return info.Size(), nil
}

// quickCheck asks SQLite on a connection that cannot write, and so cannot fold a log into a damaged file.
func quickCheck(ctx context.Context, file, vfs string) (said string, err error) {
	db, err := driver.Open(address(file, "ro", vfs), func(c *sqlite3.Conn) error { return c.Exec(readerSettings) })
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return said, db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&said)
}

// The write-ahead log (https://sqlite.org/fileformat2.html#walformat).
const (
	logHeader   = 32
	frameHeader = 24
)

// checkLog looks for transactions in the write-ahead log that SQLite would pass over without a word: it takes the log to end
// at the first page that is not what was written. After a loss of power that is right, for one transaction: the last one,
// which was not acknowledged. When there are two or more behind that page, then what was acknowledged would be lost.
func checkLog(file string) error {
	f, err := os.Open(file + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("check log: %w", err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	head := make([]byte, logHeader)
	if _, err := io.ReadFull(in, head); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || allZero(head) {
		return nil // begun, and no more
	} else if err != nil {
		return fmt.Errorf("check log: %w", err)
	}
	page := binary.BigEndian.Uint32(head[8:])
	sum := checksum{order: binary.LittleEndian}
	if head[3]&1 == 1 {
		sum.order = binary.BigEndian
	}
	sum.add(head[:24])
	if !sum.is(head[24:]) || page < 512 || page > 65536 {
		return damaged(file, "the first bytes of its log are not what was written")
	}
	frame := make([]byte, frameHeader+page)
	sound, behind := true, 0
	for n := 1; ; n++ {
		if _, err := io.ReadFull(in, frame); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		} else if err != nil {
			return fmt.Errorf("check log: %w", err)
		}
		ours := string(frame[8:16]) == string(head[16:24])
		if sound {
			sum.add(frame[:8])
			sum.add(frame[frameHeader:])
			sound = ours && sum.is(frame[16:])
		}
		if !sound && ours && binary.BigEndian.Uint32(frame[4:]) != 0 {
			behind++
		}
	}
	if behind > 1 {
		return damaged(file, "a page of its log is not what was written, and %d transactions behind it would be lost", behind)
	}
	return nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// checksum is the one of the log: each page continues that of the page before.
type checksum struct {
	order binary.ByteOrder
	a, b  uint32
}

func (c *checksum) add(p []byte) {
	for ; len(p) >= 8; p = p[8:] {
		c.a += c.order.Uint32(p) + c.b
		c.b += c.order.Uint32(p[4:]) + c.a
	}
}

func (c *checksum) is(stored []byte) bool {
	return binary.BigEndian.Uint32(stored) == c.a && binary.BigEndian.Uint32(stored[4:]) == c.b
}
