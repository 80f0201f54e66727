package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// Backup is a directory that holds all that a server needs to go on: its database and its key. It looks like the data
// directory of a stopped server, and can be used as one.
type Backup struct {
	Dir    string    `json:"dir"`
	Bytes  int64     `json:"bytes"`  // of the database
	Schema int64     `json:"schema"` // version
	Time   time.Time `json:"time"`   // that the server had reached
}

// CreateBackup makes a backup of a data directory, whether a server has it or not: of one moment, private to its owner, on
// the disk when it returns, and under its name only when it is whole.
func CreateBackup(ctx context.Context, dataDir, to string) (b *Backup, err error) {
	to = filepath.Clean(to)
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s exists already: a backup is a new directory", to)
	}
	data, err := store.OpenBeside(dataDir)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	part, err := os.MkdirTemp(filepath.Dir(to), "."+filepath.Base(to)+".part-") // 0700
	if err != nil {
		return nil, fmt.Errorf("make backup: %w", err)
	}
	defer os.RemoveAll(part) // when it did not get its name
	if err := copyData(ctx, data, dataDir, part); err != nil {
		return nil, err
	}
	made, err := store.OpenStopped(part)
	if err != nil {
		return nil, err
	}
	defer made.Close()
	if b, err = describeBackup(ctx, made, to); err != nil {
		return nil, err
	}
	if err = os.Rename(part, to); err == nil {
		err = syncDir(filepath.Dir(to))
	}
	if err != nil {
		return nil, fmt.Errorf("make backup: %w", err)
	}
	return b, nil
}

// copyData puts what data holds, and the key that lies beside it, into a directory. The database comes last: without one
// there is nothing that a server could take for its own.
func copyData(ctx context.Context, data *store.Copy, from, to string) error {
	key, err := backupKey(from)
	if err != nil {
		return err
	}
	if err := writeKey(to, filepath.Join(to, keyFile), key); err != nil {
		return err
	}
	return data.Save(ctx, to)
}

// backupKey reads the key of a data directory or a backup.
func backupKey(dir string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil {
		return nil, fmt.Errorf("read key: %w (without it no secret can be checked)", err)
	}
	key, whole := parseKey(text)
	if !whole {
		return nil, fmt.Errorf("%s does not hold 64 hex digits: without the key no secret can be checked", filepath.Join(dir, keyFile))
	}
	return key, nil
}

func describeBackup(ctx context.Context, data *store.Copy, dir string) (*Backup, error) {
	info, err := os.Stat(data.File())
	if err != nil {
		return nil, fmt.Errorf("read backup: %w", err)
	}
	schema, err := data.Schema(ctx)
	if err != nil {
		return nil, err
	}
	reached, err := data.TimeOnRecord(ctx)
	if err != nil {
		return nil, err
	}
	return &Backup{Dir: dir, Bytes: info.Size(), Schema: schema.Data, Time: reached}, nil
}

// VerifyBackup checks a backup as [Verify] checks a data directory, and that it has its key.
func VerifyBackup(ctx context.Context, dir string, wrong func(task stdops.TaskID, problem string)) (Verified, error) {
	if _, err := backupKey(dir); err != nil {
		wrong(0, err.Error())
	}
	return Verify(ctx, dir, wrong)
}

// ErrUnsound is the refusal to restore a backup with which something is wrong.
var ErrUnsound = errors.New("the backup is not sound: nothing was restored")

// RestoreBackup makes a data directory of a backup. Nothing is put in place of which anything is wrong, in a directory that
// is in use, or in one that holds something already. A restore that was interrupted leaves nothing that a server would start
// on, and can be done again.
func RestoreBackup(ctx context.Context, from, dataDir string, wrong func(task stdops.TaskID, problem string)) (b *Backup, err error) {
	data, err := store.OpenStopped(from)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	if err := checkBackup(ctx, data, from, wrong); err != nil {
		return nil, err
	}
	release, err := store.Hold(dataDir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := mayRestore(from, dataDir); err != nil {
		return nil, err
	}
	if err := copyData(ctx, data, from, dataDir); err != nil {
		return nil, err
	}
	return describeBackup(ctx, data, from)
}

// checkBackup looks for what is wrong with a backup. One of an earlier version is checked as a file: only its own version
// knows what its records have to be.
func checkBackup(ctx context.Context, data *store.Copy, dir string, wrong func(stdops.TaskID, string)) error {
	schema, err := data.Schema(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wrong(0, err.Error()) // no database at all, or the first page of it is gone
		return ErrUnsound
	}
	if err := schema.Newer(data.File()); err != nil {
		return err
	}
	sound := true
	tell := func(task stdops.TaskID, problem string) {
		sound = false
		wrong(task, problem)
	}
	if len(schema.Steps) == 0 {
		_, err = VerifyBackup(ctx, dir, tell)
	} else {
		err = verifyFile(ctx, data, dir, tell)
	}
	if err == nil && !sound {
		err = ErrUnsound
	}
	return err
}

func verifyFile(ctx context.Context, data *store.Copy, dir string, wrong func(stdops.TaskID, string)) error {
	if _, err := backupKey(dir); err != nil {
		wrong(0, err.Error())
	}
	problems, orphans, err := data.Check(ctx)
	for _, text := range problems {
		wrong(0, text)
	}
	for _, o := range orphans {
		wrong(0, o.String())
	}
	return err
}

// mayRestore refuses a data directory that holds something. What an interrupted restore of the same backup left is nothing.
func mayRestore(from, dir string) error {
	there, err := store.Others(dir)
	if err != nil {
		return err
	}
	there = slices.DeleteFunc(there, func(name string) bool {
		return name == keyFile+".new" || name == keyFile && sameFile(filepath.Join(from, name), filepath.Join(dir, name))
	})
	if len(there) == 0 {
		return nil
	}
	return fmt.Errorf("data directory %s is not empty (%s): nothing was restored. Move what is in it elsewhere, or name another "+
		"with --data-dir", dir, strings.Join(there, ", "))
}

func sameFile(one, other string) bool {
	text, err := os.ReadFile(one)
	if err != nil {
		return false
	}
	same, err := os.ReadFile(other)
	return err == nil && bytes.Equal(text, same)
}
