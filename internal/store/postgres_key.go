package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/stdops/stdops"
)

// keyName is what makes two keys the same.
type keyName struct {
	project    stdops.ProjectID
	owner, key string
}

func nameOf(k *stdops.RequestKey) keyName { return keyName{k.Project, k.Owner, k.Key} }

var keyRows = rowsOf{"keys", `project_id bigint, owner text, key text, request bytea, made bigint, answer bytea, expires_at bigint`}

var keepKeysText = (&statement{}).table(keyRows).Replace(`
	INSERT INTO request_key (project_id, owner, key, request, made, answer, expires_at)
	SELECT r.project_id, r.owner, r.key, r.request, r.made, r.answer, r.expires_at FROM {keys} ORDER BY 1, 2, 3
	ON CONFLICT (project_id, owner, key) DO UPDATE SET request = excluded.request, made = excluded.made,
		answer = excluded.answer, expires_at = excluded.expires_at
	WHERE request_key.expires_at <= $9
	RETURNING project_id, owner, key`)

// keepKeys stores those of the keys that are free, and tells which. It does so in an order of their own: two who wait for
// each other's would never end.
func keepKeys(ctx context.Context, tx *sql.Conn, keys []stdops.RequestKey, now time.Time) (map[keyName]bool, error) {
	r := newRows(keyRows)
	for i := range keys {
		k := &keys[i]
		r.add(i).number(int64(k.Project)).text(k.Owner).text(k.Key).bytes(nonNil(k.Request)).number(k.Made).bytes(k.Answer).
			instant(k.Expires)
	}
	rows, err := tx.QueryContext(ctx, keepKeysText, append(r.args(), micros(now))...)
	stored, err := collect(rows, err, func(n *keyName) []any { return []any{number(&n.project), &n.owner, &n.key} })
	if err != nil {
		return nil, fmt.Errorf("store the key of a request: %w", err)
	}
	kept := make(map[keyName]bool, len(stored))
	for _, n := range stored {
		kept[n] = true
	}
	return kept, nil
}

func dropKey(ctx context.Context, tx *sql.Conn, k *stdops.RequestKey) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM request_key WHERE project_id = $1 AND owner = $2 AND key = $3`,
		int64(k.Project), k.Owner, k.Key)
	if err != nil {
		return fmt.Errorf("take back the key of a request: %w", err)
	}
	return nil
}
