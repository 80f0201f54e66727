package script

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/stdops/stdops/internal/plugin"
)

const (
	grace         = 10 * time.Second // between TERM and KILL
	stoppingGrace = 2 * time.Second  // likewise, when the server itself has to end
	guardPatience = 30 * time.Second // for a guard to end after it was told to kill
	pipePatience  = 5 * time.Second  // for the outputs, when the guard has ended
	longestResult = 64 << 10
)

// run is one script on its way.
type run struct {
	guard           *exec.Cmd
	control, result *os.File // our ends; control is closed to kill
	outcome         chan result
}

// execute runs a job until the script has ended or ctx is done, and returns when nothing is left of it.
func execute(ctx context.Context, j *job, stdout, stderr io.Writer) (result, error) {
	r, err := begin(j, stdout, stderr)
	if err != nil {
		return result{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- r.guard.Wait() }()
	err = r.await(ctx, ended)
	out := r.end()
	if !out.Told {
		j.removeGroup() // which nobody else does now
		out.Left = j.removeDir()
	}
	switch {
	case out.Error != "":
		return out, errors.New(out.Error)
	case !out.Told && err != nil:
		return out, fmt.Errorf("what guards the script has ended (%w): what became of the script is not known", err)
	case !out.Told:
		return out, errors.New("what guards the script has ended without a word: what became of the script is not known")
	}
	return out, nil
}

// begin starts the guard of a job.
func begin(j *job, stdout, stderr io.Writer) (*run, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("write job: %w", err)
	}
	// The name of this program as the kernel knows it: the one that runs, also when its file was replaced by another version.
	// Not bound to ctx: the guard is told to end, and ends the script.
	guard := exec.Command("/proc/self/exe") //nolint:noctx // see above
	guard.Args = []string{"stdops", ShimCommand}
	guard.Env = []string{} // ours may hold secrets
	guard.Dir = "/"
	guard.Stdout, guard.Stderr = stdout, stderr
	guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // what a terminal sends is not for it
	guard.WaitDelay = pipePatience
	return start(guard, append(text, '\n'))
}

// start starts a guard and hands the job to it.
func start(guard *exec.Cmd, job []byte) (*run, error) {
	orders, control, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	results, told, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make pipe: %w", err), orders.Close(), control.Close())
	}
	guard.ExtraFiles = []*os.File{orders, told}
	err = guard.Start()
	// The ends of the guard are closed at once: else a job that no guard reads any more would fill its pipe and wait for ever.
	_, _ = orders.Close(), told.Close()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start guard: %w", err), control.Close(), results.Close())
	}
	r := &run{guard: guard, control: control, result: results, outcome: make(chan result, 1)}
	go func() { r.outcome <- readResult(results) }()
	if _, err := control.Write(job); err != nil && !errors.Is(err, syscall.EPIPE) { // of a guard that has ended, Wait tells more
		_ = control.Close()
		return nil, errors.Join(fmt.Errorf("hand over job: %w", err), guard.Wait(), results.Close())
	}
	return r, nil
}

// end gives the last word of a guard that has ended. A script of the same user may hold the pipe by which it comes.
func (r *run) end() result {
	_ = r.control.Close()
	_ = r.result.SetReadDeadline(time.Now().Add(pipePatience))
	out := <-r.outcome
	_ = r.result.Close()
	return out
}

func readResult(from io.Reader) (r result) {
	_ = json.NewDecoder(io.LimitReader(from, longestResult)).Decode(&r) // without one it is the zero value
	return r
}

// await returns when the guard has ended. When ctx is done it lets the script end, with a while to do so.
func (r *run) await(ctx context.Context, ended <-chan error) error {
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	while := grace
	if errors.Is(context.Cause(ctx), plugin.ErrStopping) {
		while = stoppingGrace
	}
	_, _ = fmt.Fprintf(r.control, "%s%s\n", stopOrder, while) // a guard that has ended needs no order
	for _, step := range []struct {
		patience time.Duration
		do       func() error
	}{
		{while + guardPatience, r.control.Close}, // which kills the script, were the order not understood
		{guardPatience, r.guard.Process.Kill},    // its children are handed to the init of the system then
	} {
		select {
		case err := <-ended:
			return err
		case <-time.After(step.patience):
			_ = step.do()
		}
	}
	return <-ended
}
