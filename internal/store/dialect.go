package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/ncruces/go-sqlite3"

	"github.com/stdops/stdops"
)

// dialect is what statements that are put together say in their own way.
type dialect struct{ postgres bool }

func (s *Store) dialect() dialect { return dialect{postgres: s.pg != nil} }

// anyOf is the condition that a column is one of a list parameter, which is made by ids or texts.
func (d dialect) anyOf(param string) string {
	if d.postgres {
		return "= ANY (" + param + ")"
	}
	return anyOf(param)
}

// ids makes a list parameter.
func ids[T ~int64 | ~uint8](d dialect, list []T) any {
	if !d.postgres {
		return idList(list)
	}
	numbers := make([]int64, len(list))
	for i, id := range list {
		numbers[i] = int64(id)
	}
	return numbers
}

// texts makes a list parameter.
func (d dialect) texts(list []string) any {
	if d.postgres {
		return list
	}
	return textList(list)
}

// partOf is the condition that a text holds another, in any case of ASCII letters; its value is made by likePattern. LIKE
// of SQLite does not look at their case, and ILIKE looks at no other letters in a column that compares by bytes.
func (d dialect) partOf(column string) string {
	if d.postgres {
		return column + ` ILIKE ? ESCAPE '\'`
	}
	return column + ` LIKE ? ESCAPE '\'`
}

// anyOf is the condition of SQLite that a column is one of a list, which is made by idList.
func anyOf(param string) string {
	return "IN (SELECT value FROM json_each(" + param + "))"
}

// idList makes the parameter of SQLite that anyOf expects.
func idList[T ~int64 | ~uint8](ids []T) string {
	list := make([]byte, 0, 2+12*len(ids))
	list = append(list, '[')
	for i, id := range ids {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, int64(id), 10)
	}
	return string(append(list, ']'))
}

// textList makes the parameter of SQLite that anyOf expects of texts.
func textList(texts []string) string {
	list := []byte{'['}
	for i, text := range texts {
		if i > 0 {
			list = append(list, ',')
		}
		list = stdops.AppendQuoted(list, text)
	}
	return string(append(list, ']'))
}

// likePattern makes a pattern that finds a text anywhere.
func likePattern(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// duplicate reports whether err is a refusal by a primary key or a unique index.
func duplicate(err error) bool {
	return errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY) || refusal(err) == uniqueViolation
}

// orphan reports whether err is a refusal by a foreign key.
func orphan(err error) bool {
	return errors.Is(err, sqlite3.CONSTRAINT_FOREIGNKEY) || refusal(err) == foreignKeyViolation
}

// micros is the stored form of a time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// instant scans a stored time; NULL gives the zero time.
func instant(t *time.Time) sql.Scanner { return timeScanner{t} }

type timeScanner struct{ t *time.Time }

// Scan fulfils sql.Scanner.
func (s timeScanner) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s.t = time.Time{}
	case int64:
		*s.t = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time is stored as %T", src)
	}
	return nil
}

// ScanInt64 fulfils pgtype.Int64Scanner: without it pgx makes a value in an interface of every column first.
func (s timeScanner) ScanInt64(v pgtype.Int8) error {
	*s.t = time.Time{}
	if v.Valid {
		*s.t = time.UnixMicro(v.Int64).UTC()
	}
	return nil
}

// number scans a whole number into any integer type. (What database/sql does by itself goes through text.)
func number[T ~int8 | ~int16 | ~int32 | ~int64 | ~uint8](n *T) sql.Scanner {
	return numberScanner[T]{n}
}

type numberScanner[T ~int8 | ~int16 | ~int32 | ~int64 | ~uint8] struct{ n *T }

// Scan fulfils sql.Scanner.
func (s numberScanner[T]) Scan(src any) error {
	v, ok := src.(int64)
	if !ok || int64(T(v)) != v {
		return fmt.Errorf("a number is stored as %T %v", src, src)
	}
	*s.n = T(v)
	return nil
}

// ScanInt64 fulfils pgtype.Int64Scanner.
func (s numberScanner[T]) ScanInt64(v pgtype.Int8) error {
	if !v.Valid {
		return s.Scan(nil)
	}
	return s.Scan(v.Int64)
}
