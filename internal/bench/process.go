package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server in a process of its own, so that its memory can be told from that of the bench.
type process struct {
	*world
	cmd   *exec.Cmd
	ended chan error
}

// startProcess starts `program serve` on a new data directory, with further flags, and waits until it answers.
func startProcess(ctx context.Context, program string, flags ...string) (p *process, err error) {
	p = &process{world: &world{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}, ended: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.end())
			p = nil
		}
	}()
	if p.dir, err = os.MkdirTemp("", "stdops-bench-"); err != nil {
		return p, err
	}
	args := []string{
		"serve", "--listen", "127.0.0.1:0", "--data-dir", p.data(), "--time-zone", "UTC", "--test-plugins",
		"--limit", "rate=0", // it would refuse most of what is to be measured
	}
	p.cmd = exec.Command(program, append(args, flags...)...)
	p.cmd.Env = append(os.Environ(), "STDOPS_BOOTSTRAP_APP_CODE="+appCode, "STDOPS_BOOTSTRAP_APP_SECRET="+appSecret)
	output, err := p.cmd.StderrPipe()
	if err != nil {
		return p, err
	}
	if err := p.cmd.Start(); err != nil {
		p.cmd = nil
		return p, fmt.Errorf("start the server: %w", err)
	}
	lines := bufio.NewReader(output)
	p.address, err = addressIn(lines)
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		p.ended <- p.cmd.Wait()
	}()
	if err != nil {
		return p, err
	}
	return p, p.ready(ctx)
}

// Figures that a server tells of itself.
const (
	callsOut    = "stdops_calls_out"
	drivenTasks = "stdops_driven_tasks"
)

// addressIn finds the address in the log of a server that starts.
func addressIn(log *bufio.Reader) (string, error) {
	for {
		line, err := log.ReadString('\n')
		if err != nil {
			return "", fmt.Errorf("the server ended before it was ready: %w", err)
		}
		var entry struct{ Msg, Address string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "serving" {
			return entry.Address, nil
		}
	}
}

// ready waits until the server answers.
func (p *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	_, err = p.do(r)
	return err
}

// end stops the server and removes its files.
func (p *process) end() error {
	var err error
	p.http.CloseIdleConnections()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // one that has ended already says so to Wait
		err = <-p.ended
	}
	if p.dir != "" {
		err = errors.Join(err, os.RemoveAll(p.dir))
	}
	return err
}

// memory gives how much of the memory of the machine the server has now, and had at most since [process.forget].
func (p *process) memory() (now, most int64, err error) {
	text, err := os.ReadFile(p.proc("status"))
	if err != nil {
		return 0, 0, fmt.Errorf("memory of another process can be read on Linux only: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			continue
		}
		switch name {
		case "VmRSS":
			now = kib << 10
		case "VmHWM":
			most = kib << 10
		}
	}
	return now, most, nil
}

// forget lets the highest figure begin anew.
func (p *process) forget() error { return os.WriteFile(p.proc("clear_refs"), []byte("5"), 0) }

func (p *process) proc(file string) string {
	return filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), file)
}

// await waits until a figure that the server tells of itself is as wanted.
func (p *process) await(ctx context.Context, name string, wanted int) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for {
		value, err := p.gauge(ctx, name)
		if err != nil || value == wanted {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("wait until %s is %d, which is %d: %w", name, wanted, value, ctx.Err())
		}
	}
}

// gauge gives a whole number that the server tells of itself, the sum where it is told by kinds.
func (p *process) gauge(ctx context.Context, name string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	text, err := p.do(r)
	if err != nil {
		return 0, err
	}
	sum, told := 0, false
	for line := range strings.Lines(string(text)) {
		metric, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if kind, _, _ := strings.Cut(metric, "{"); kind != name {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		sum, told = sum+n, true
	}
	if !told {
		return 0, fmt.Errorf("the server does not tell %s", name)
	}
	return sum, nil
}
