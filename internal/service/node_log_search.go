package service

import (
	"context"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/stdops/stdops"
)

// What one answer to a search in a log holds at most, and looks through at least: a text that is looked for lies within it.
const (
	mostLogHits    = 500
	leastLogSearch = 64 << 10
	longestExcerpt = 400 // bytes of a line
)

// LogSearch looks for lines of a log that have a text in them, in any case of letters.
type LogSearch struct {
	Node    string // wire id
	Attempt int    // from 1, the oldest; 0 is the newest one
	Text    string
	At      LogPlace // where to go on
	Limit   int      // how many bytes to look through
}

// LogPlace is a place in a log. The zero value is its beginning.
type LogPlace struct {
	From  int64
	Line  int64 // number of the line that From is in, from 1
	Begin int64 // where that line begins
}

// LogHit is a line of a log in which a text was found.
type LogHit struct {
	Line int64 // its number, from 1
	From int64 // place of its first byte
	Text string
}

// LogHits are what a search has found in a part of a log. The last line is looked at even when it has no end yet, and so are
// the parts of one that is longer than a search may look through: such a line may be found again from Next on.
type LogHits struct {
	Node     string // wire id
	Attempt  int    // from 1; 0 when there is none such
	Attempts int
	Hits     []LogHit
	Next     LogPlace // where to go on
	Searched int64    // the log was looked through up to here
	Size     int64    // of the whole log, so far
	Complete bool     // nothing will be added to it
}

// SearchLog looks through a part of the log of a node, from the beginning to the end.
func (s *Service) SearchLog(ctx context.Context, a *Access, id stdops.TaskID, q LogSearch) (*LogHits, error) {
	log, err := s.NodeLog(ctx, a, id, LogQuery{
		Node: q.Node, Attempt: q.Attempt, From: q.At.From, Limit: max(q.Limit, leastLogSearch),
	})
	if err != nil {
		return nil, err
	}
	at := q.At
	at.From = log.From // behind the end of a character that a search of a long line has cut
	if at.Line == 0 {
		at.Line, at.Begin = 1, log.From
	}
	hits := &LogHits{Node: log.Node, Attempt: log.Attempt, Attempts: log.Attempts, Size: log.Size, Complete: log.Complete}
	hits.Hits, hits.Next, hits.Searched = findLines(log.Text, at, log.Next == log.Size, q.Text)
	return hits, nil
}

// findLines gives the lines of a text that is at a place of a log, and where to go on; end says that the log has no more.
func findLines(text string, at LogPlace, end bool, wanted string) (hits []LogHit, next LogPlace, searched int64) {
	wanted = strings.ToLower(wanted)
	for start := at.From; text != "" && len(hits) < mostLogHits; {
		line, rest, whole := strings.Cut(text, "\n")
		if !whole && !end && at.From > start { // the rest of it is read together with its beginning
			break
		}
		if strings.Contains(strings.ToLower(plainLine(line)), wanted) {
			hits = append(hits, LogHit{Line: at.Line, From: at.Begin, Text: excerpt(line, wanted)})
		}
		if !whole {
			if searched = at.From + int64(len(line)); !end {
				// What is looked for may begin here; a letter and its other case differ in length by less than this.
				at.From = searched - int64(min(utf8.UTFMax*len(wanted), len(line)/2))
			}
			return hits, at, searched
		}
		text = rest
		at.From += int64(len(line)) + 1
		at.Line++
		at.Begin = at.From
	}
	return hits, at, at.From
}

// command is what a terminal takes as such, with the end that it may lack; whoever reads a log does not see it.
var command = regexp.MustCompile(`(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]?` +
	`|(?:\x1b[\]PX^_]|[\x{90}\x{98}\x{9d}-\x{9f}])(?:[^\x07\x1b\x{80}-\x{9f}]*(?:\x07|\x1b\\|\x{9c}))?` +
	`|\x1b[ -/]*[0-~]?`)

// plainLine takes commands to terminals out of a line.
func plainLine(line string) string {
	if strings.IndexByte(line, 0x1b) < 0 && strings.IndexByte(line, 0xc2) < 0 { // with one of these all of them begin
		return line
	}
	return command.ReplaceAllString(line, "")
}

// excerpt gives a line, or so much of a long one that what was found can be seen.
func excerpt(line, wanted string) string {
	if len(line) <= longestExcerpt {
		return line
	}
	found := strings.Index(strings.ToLower(line), wanted)
	from := min(max(0, found-longestExcerpt/4), len(line)-longestExcerpt)
	return strings.ToValidUTF8(line[from:from+longestExcerpt], "")
}
