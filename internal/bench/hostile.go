package bench

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/stdops/stdops"
)

// atOnce is how often each hostile request is sent at the same time.
const atOnce = 50

// hostile is a hostile or broken request; internal/api/sops/testdata/badinputs.jsonl has one on each line.
type hostile struct {
	Name, Endpoint, Method, Body string
	Headers                      map[string]any

	body []byte // written out
}

// unsent tells the lines that are about something else than what a request holds.
func (h *hostile) unsent() bool {
	return strings.HasPrefix(h.Body, "@@raw(") || strings.HasPrefix(h.Body, "@@slowheaders(")
}

func readHostile(file string) ([]*hostile, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []*hostile
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		h := &hostile{}
		if err := json.Unmarshal(lines.Bytes(), h); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", file, len(list)+1, err)
		}
		list = append(list, h)
	}
	return list, lines.Err()
}

// bodyOf writes the body of a request out; what it refers to is stored.
func (p *process) bodyOf(ctx context.Context, h *hostile) ([]byte, error) {
	var tree *stdops.Object
	switch {
	case strings.HasPrefix(h.Body, "@@tree(60 exclusive diamonds "):
		tree = diamonds(60)
	case strings.HasPrefix(h.Body, "@@tree(10 subprocess nodes each"):
		var err error
		if tree, err = p.bomb(ctx, 10); err != nil {
			return nil, err
		}
	default:
		return expand(h.Body)
	}
	return stdops.NewObject("name", h.Name, "pipeline_tree", tree).MarshalJSON()
}

// bomb stores flows each of which holds the one before it ten times, up to the last that the server takes, and gives the
// first that it does not.
func (p *process) bomb(ctx context.Context, times int) (*stdops.Object, error) {
	tree := tree(0, fewestNodes, false)
	for {
		var made struct {
			ID int64 `json:"template_id"`
		}
		body := stdops.NewObject("name", "nested", "pipeline_tree", tree)
		err := p.post(ctx, fmt.Sprintf("/apigw/create_template/%d/", business), body, &made)
		switch {
		case err != nil && strings.Contains(err.Error(), "too many nodes"):
			return tree, nil
		case err != nil:
			return nil, err
		}
		tree = nested(made.ID, times)
	}
}

// expand writes a body out: between @@ stand what it is too long to be written down, and bytes that no file of texts holds.
func expand(text string) ([]byte, error) {
	var out bytes.Buffer
	for i, part := range strings.Split(text, "@@") {
		if i%2 == 0 {
			out.WriteString(part)
			continue
		}
		if !strings.Contains(part, "(") { // a name of something in the test of the API
			out.WriteString("@@" + part + "@@")
			continue
		}
		if err := expandMacro(&out, part); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

func expandMacro(out *bytes.Buffer, macro string) error {
	name, args, _ := strings.Cut(strings.TrimSuffix(macro, ")"), "(")
	switch name {
	case "repeat":
		times, text, _ := strings.Cut(args, ",")
		n, err := strconv.Atoi(times)
		if err != nil {
			return err
		}
		out.WriteString(strings.Repeat(text, n))
	case "hex":
		raw, err := hex.DecodeString(strings.ReplaceAll(args, ",", ""))
		if err != nil {
			return err
		}
		out.Write(raw)
	case "gzip_zeros":
		n, err := strconv.Atoi(args)
		if err != nil {
			return err
		}
		var member bytes.Buffer // a gzip text may consist of several, one behind the other
		zip := gzip.NewWriter(&member)
		if _, err := zip.Write(make([]byte, 1<<20)); err != nil {
			return err
		}
		if err := zip.Close(); err != nil {
			return err
		}
		out.Write(bytes.Repeat(member.Bytes(), n>>20))
	case "alternate":
		first, _, _ := strings.Cut(args, ",")
		out.WriteString(first)
	default:
		return fmt.Errorf("unknown macro %q", macro)
	}
	return nil
}

// attack sends one hostile request many times at once, starts what it created, and waits until the server is quiet again.
func (p *process) attack(ctx context.Context, h *hostile) error {
	var all errgroup.Group
	for range atOnce {
		all.Go(func() error { return p.strike(ctx, h) })
	}
	if err := all.Wait(); err != nil {
		return fmt.Errorf("%s: %w", h.Name, err)
	}
	return p.await(ctx, callsOut, 0)
}

func (p *process) strike(ctx context.Context, h *hostile) error {
	r, err := p.hostileRequest(ctx, h)
	if err != nil {
		return err
	}
	res, err := p.http.Do(r)
	if err != nil {
		if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
			return nil // refused before the body was read, and gone before that could be
		}
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusInternalServerError && res.StatusCode != http.StatusServiceUnavailable {
		return fmt.Errorf("HTTP status %d: %.200s", res.StatusCode, text)
	}
	var made struct {
		TaskID stdops.TaskID `json:"task_id"`
	}
	if !strings.HasPrefix(h.Endpoint, "/fast_create_task/") || dataOf(text, &made) != nil {
		return nil
	}
	return p.post(ctx, fmt.Sprintf("/apigw/start_task/%d/%d/", made.TaskID, business), &stdops.Object{}, nil)
}

func (p *process) hostileRequest(ctx context.Context, h *hostile) (*http.Request, error) {
	r, err := p.request(ctx, "/apigw"+h.Endpoint, &stdops.Object{})
	if err != nil {
		return nil, err
	}
	r.Method, r.Body, r.ContentLength = h.Method, io.NopCloser(bytes.NewReader(h.body)), int64(len(h.body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(h.body)), nil }
	for key, value := range h.Headers {
		if text, ok := value.(string); ok && !strings.HasPrefix(key, "@@") && !strings.Contains(text, "@@") {
			r.Header.Set(key, text)
		}
	}
	return r, nil
}
