package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/zstd"
	"github.com/maypok86/otter/v2"

	"github.com/stdops/stdops"
)

const (
	databaseFile = "stdops.db"

	// skeletonCache bounds the cached skeletons by their nodes: some 100 bytes each.
	skeletonCache = 500_000

	// zipWindow is how far back the compressor of trees looks. Their nodes are alike, so that more finds nothing more, and
	// it keeps twice as much in memory: sixteen times this when not told.
	zipWindow = 1 << 20

	// largestBody bounds what one stored tree may inflate to.
	largestBody = 256 << 20
)

// Options says where a [Store] is and what it needs from others.
type Options struct {
	Dir string       // data directory of a store on SQLite; made (0700) when it is not there
	DB  string       // address of a PostgreSQL database (postgres://…), which many processes may have open; "": SQLite
	Log *slog.Logger // nil: slog.Default()
	// Now tells the time of the server. It must not fall and not jump; nil: the clock of this machine, for those who do not mind.
	// On PostgreSQL the time is that of the database, which is told by this clock between the measurements.
	Now func() time.Time
	// NotBefore is told a time that all times on record lie before, before anything is stored: the server must not be earlier.
	NotBefore func(time.Time)
	// DecodeSkeleton reads the stored form of a skeleton, which the store does not know. Statuses needs it.
	DecodeSkeleton func([]byte) (*stdops.Skeleton, error)
	// DiskFailed is told once of an [ErrDisk]; the process has to end then. The store itself refuses every further write.
	DiskFailed func(error)
	// LogLimit is how many bytes of log are kept of one attempt of a node; 0: [stdops.DefaultLog].
	LogLimit int64
	// Retention is how long tasks are kept whole after their end; 0: for ever. See [Store.Archive].
	Retention time.Duration
	// VFS names a file system of the SQLite library; "" is that of the host.
	VFS string
	// Settings are further ones of the connection that writes, after the usual ones: for tests that need them to be wrong.
	Settings string
	// FoldAt is after how many pages the log is folded, 0 the usual number: for tests that cannot fill a log.
	FoldAt int

	unchecked bool // for tests that want to see what SQLite makes of damage
	ownTime   bool // for tests on PostgreSQL: Now tells the time, whatever the database says
	tracer    pgx.QueryTracer
}

// Store is the open store of one process. Its methods may be called from any goroutine.
type Store struct {
	log       *slog.Logger
	now       func() time.Time
	notBefore func(time.Time)
	lock      *os.File
	epoch     int64

	readers *sql.DB

	// Of SQLite.
	writer *writer
	hot    hotReads

	pg *postgres // nil on SQLite

	readLimit time.Duration
	logLimit  int64
	retention time.Duration
	foldAt    int

	decodeSkeleton func([]byte) (*stdops.Skeleton, error)
	diskFailed     func(error)
	revisions      *revisions
	feed           feed
	logBells       logBells
	projects       *knownProjects
	skeletons      *otter.Cache[string, *stdops.Skeleton]
	zip            *zstd.Encoder
	unzip          *zstd.Decoder
}

// Open opens the store of a data directory, which no other process may have open. It brings the schema up to date and
// raises the boot number. Or it opens a store in a PostgreSQL database, whose schema must be that of this program
// ([MigratePostgres]).
func Open(ctx context.Context, o Options) (s *Store, err error) {
	s = &Store{
		log: o.Log, now: o.Now, notBefore: o.NotBefore, decodeSkeleton: o.DecodeSkeleton, diskFailed: o.DiskFailed,
		readLimit: defaultReadLimit, revisions: newRevisions(knownRevisions), projects: newKnownProjects(),
		foldAt: cmp.Or(o.FoldAt, foldAt), logLimit: cmp.Or(o.LogLimit, stdops.DefaultLog), retention: o.Retention,
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.notBefore == nil {
		s.notBefore = func(time.Time) {}
	}
	if s.decodeSkeleton == nil {
		s.decodeSkeleton = func([]byte) (*stdops.Skeleton, error) { return nil, errors.New("no decoder for skeletons") }
	}
	if s.diskFailed == nil {
		s.diskFailed = func(error) {}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
			s = nil
		}
	}()
	if err := s.openCaches(); err != nil {
		return s, err
	}
	if err := s.takeDir(&o); err != nil {
		return s, err
	}
	if o.DB != "" {
		return s, s.openDatabase(ctx, &o)
	}
	if err := s.openFiles(ctx, &o); err != nil {
		return s, err
	}
	return s, s.boot(ctx)
}

// takeDir takes the data directory for this process. A store on PostgreSQL keeps nothing in it, and may have none.
func (s *Store) takeDir(o *Options) (err error) {
	if o.Dir == "" && o.DB != "" {
		return nil
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return fmt.Errorf("open data directory: %w", err)
	}
	s.lock, err = lockDir(o.Dir)
	return err
}

func (s *Store) openFiles(ctx context.Context, o *Options) (err error) {
	file := filepath.Join(o.Dir, databaseFile)
	if s.writer, err = openWriter(ctx, file, o, s.log); err != nil {
		return err
	}
	if s.readers, err = openReaders(file, o.VFS, &s.hot); err != nil {
		return err
	}
	return s.readers.PingContext(ctx) // a first connection, with its statements
}

func (s *Store) openCaches() (err error) {
	s.skeletons, err = otter.New(&otter.Options[string, *stdops.Skeleton]{
		MaximumWeight: skeletonCache,
		Weigher:       func(_ string, sk *stdops.Skeleton) uint32 { return uint32(len(sk.Nodes)) + 1 },
		Executor:      func(work func()) { work() }, // no goroutine of which nobody knows when it ends
	})
	if err != nil {
		return fmt.Errorf("make skeleton cache: %w", err)
	}
	if s.zip, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zipWindow)); err != nil {
		return fmt.Errorf("make compressor: %w", err)
	}
	if s.unzip, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(largestBody)); err != nil {
		return fmt.Errorf("make decompressor: %w", err)
	}
	return nil
}

// boot raises the boot number and gives an empty store its first project.
func (s *Store) boot(ctx context.Context) error {
	last, err := timeOnRecord(ctx, s.readers)
	if err != nil {
		return err
	}
	s.notBefore(last)
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		err := tx.QueryRowContext(ctx, `
			INSERT INTO meta (name, value) VALUES ('boot', 1)
			ON CONFLICT (name) DO UPDATE SET value = meta.value + 1
			RETURNING value`).Scan(&s.epoch)
		if err != nil {
			return fmt.Errorf("raise boot number: %w", err)
		}
		if s.epoch > 1 {
			return nil
		}
		_, err = insertProject(ctx, tx, Project{Name: "default", Biz: 2, Created: s.now()})
		return err
	})
}

// Epoch is the boot number: how many times this store was opened. A task driven by an earlier boot is driven by nobody. On
// PostgreSQL every task has an epoch of its own, from 0 on, and this is 0.
func (s *Store) Epoch() int64 { return s.epoch }

// Now is the time of the store, by which all processes of one store agree.
func (s *Store) Now() time.Time {
	now := s.now
	if s.pg != nil {
		now = s.pg.clock.now
	}
	return now().UTC().Truncate(time.Microsecond)
}

// Close ends all connections. On SQLite it writes everything back into the one database file, and lets the data directory go.
// It must be called once, when no method runs.
func (s *Store) Close() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.close())
	}
	if s.pg != nil {
		errs = append(errs, s.pg.close())
	}
	if s.unzip != nil {
		s.unzip.Close()
	}
	if s.lock != nil {
		errs = append(errs, unlockDir(s.lock))
	}
	return errors.Join(errs...)
}

// close records the time that was reached, and gives the connection that writes back.
func (s *Store) close() error {
	var err error
	if s.epoch > 0 {
		err = s.recordLast(context.Background())
	}
	return errors.Join(err, s.writer.close())
}
