package pgtest

import (
	"context"
	"fmt"
	"os/user"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Database makes a database for one test and gives its address. migrate, which may be nil, brings one up to date; it is
// called once for each name, and its work is copied for all later tests.
func (s *Server) Database(t testing.TB, name string, migrate func(ctx context.Context, url string) error) string {
	t.Helper()
	ctx := context.Background() // the database is removed after the test
	database, err := s.create(ctx, name, migrate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.running == nil {
			return // it goes with the server
		}
		if err := s.exec(ctx, "DROP DATABASE IF EXISTS "+database+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return s.URL(database)
}

func (s *Server) create(ctx context.Context, name string, migrate func(context.Context, string) error) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	template := "template1"
	if migrate != nil {
		var err error
		if template, err = s.template(ctx, name, migrate); err != nil {
			return "", err
		}
	}
	s.databases++
	database := fmt.Sprintf("test%d", s.databases)
	return database, s.exec(ctx, "CREATE DATABASE "+database+" TEMPLATE "+template)
}

func (s *Server) template(ctx context.Context, name string, migrate func(context.Context, string) error) (string, error) {
	if template, made := s.templates[name]; made {
		return template, nil
	}
	template := fmt.Sprintf("migrated%d", len(s.templates)+1)
	if err := s.exec(ctx, "CREATE DATABASE "+template); err != nil {
		return "", err
	}
	if err := migrate(ctx, s.URL(template)); err != nil {
		return "", fmt.Errorf("migrate: %w", err)
	}
	s.templates[name] = template
	return template, nil
}

func (s *Server) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// owner finds a user for a server that root starts: PostgreSQL refuses to run as root. nil is the one of this process.
func owner() (*syscall.Credential, error) {
	if syscall.Geteuid() != 0 {
		return nil, nil
	}
	var (
		u   *user.User
		err error
	)
	for _, name := range []string{"postgres", "nobody"} {
		if u, err = user.Lookup(name); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
