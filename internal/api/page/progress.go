package page

import (
	"fmt"
	"strings"
)

// progress is how far a task has come, counted over the lines of its table.
type progress struct {
	Done, Total int
	Parts       []part
	Text        string
}

// part is a stretch of the bar: nodes of the same look.
type part struct {
	Key         string
	From, Count int
}

// barOrder is the order of the parts in the bar; what is not named is left blank.
var barOrder = []string{"finished", "failed", "suspended", "node-suspended", "running", "ready"}

func progressOf(rows []row) progress {
	counts := map[string]int{}
	for i := range rows {
		counts[rows[i].Look.Key]++
	}
	p := progress{Done: counts["finished"], Total: len(rows)}
	at := 0
	texts := []string{fmt.Sprintf("%d of %s finished", p.Done, count(p.Total, "node", "nodes"))}
	for _, key := range barOrder {
		n := counts[key]
		if n == 0 {
			continue
		}
		p.Parts = append(p.Parts, part{key, at, n})
		at += n
		if key != "finished" {
			texts = append(texts, fmt.Sprintf("%d %s", n, strings.ReplaceAll(key, "-", " ")))
		}
	}
	p.Text = strings.Join(texts, ", ")
	return p
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
