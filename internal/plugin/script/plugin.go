package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// shell is the plugin shell_script (docs/spec/engine.md 7.10).
type shell struct{ as *As }

var _ plugin.RuleByInputs = shell{}

// New makes the plugin; its scripts run as a user.
func New(as *As) plugin.Plugin { return shell{as} }

// Spec describes the plugin.
func (shell) Spec() plugin.Spec {
	return plugin.Spec{
		Code: "shell_script", Versions: []string{"1.0.0", "legacy"}, Name: "Script", Group: "basic",
		Doc: "Runs a script on the host of the server and ends whatever it leaves behind.",
		Inputs: []plugin.Field{
			{Key: "script", Name: "Script", Type: "string", Required: true, Doc: "values of variables are safer in $STDOPS_VAR_name than as ${name}, which is pasted"},
			{Key: "args", Name: "Arguments", Type: "array", Doc: "a list, or a text with an argument on each line"},
			{Key: "env", Name: "Environment", Type: "object", Doc: "names and values, or a text with NAME=value on each line"},
			{Key: "cwd", Name: "Directory", Type: "string", Doc: "default: a private one, which is removed afterwards"},
			{Key: "timeout", Name: "Time limit", Type: "integer", Doc: "seconds (default 3600)"},
			{Key: "interpreter", Name: "Interpreter", Type: "string", Doc: "with arguments, such as /bin/bash -e (default /bin/sh)"},
			{Key: "rerun", Name: "May run again", Type: "boolean", Doc: "after a crash of the server, instead of failing the node (default false)"},
		},
		Outputs: []plugin.Field{
			{Key: "exit_code", Name: "Exit code", Type: "integer"},
			{Key: "stdout", Name: "End of the output", Type: "string"},
			{Key: "stderr", Name: "End of the error output", Type: "string"},
		},
		Class: plugin.Script, Execute: plugin.Unknown, Variables: true, StopOnRevoke: true,
	}
}

// ExecuteRule lets a script run again after a crash when its input rerun says that it may.
func (shell) ExecuteRule(inputs *stdops.Object) plugin.CrashRule {
	switch rerun, _ := inputs.Get("rerun"); rerun {
	case true, "true":
		return plugin.Repeat
	default:
		return plugin.Unknown
	}
}

// Execute runs the script to its end.
func (s shell) Execute(ctx context.Context, call *plugin.Call) (plugin.Outcome, error) {
	o, err := readOrder(call.Inputs)
	if err != nil {
		call.Logf("does not start: %s", err)
		return plugin.Done, err
	}
	stdout, stderr := newStream(call.LogWriter()), newStream(call.LogWriter())
	call.Logf("starts as %s: %s", s.as.Name, strings.Join(o.interpreter, " "))
	limited, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	began := time.Now()
	r, err := execute(limited, s.job(call, &o), stdout, stderr)
	stdout.close()
	stderr.close()
	if stdout.open || stderr.open {
		_, _ = call.LogWriter().Write([]byte("\n"))
	}
	if r.Told && r.Error == "" {
		call.Outputs.Set("exit_code", int64(r.Exit))
	}
	call.Outputs.Set("stdout", stdout.tail())
	call.Outputs.Set("stderr", stderr.tail())
	switch { // what ended the script is told before how it ended
	case ctx.Err() != nil:
		err = because(context.Cause(ctx), err)
	case limited.Err() != nil:
		err = because(fmt.Errorf("the script was ended after its time limit of %d seconds", int64(o.timeout/time.Second)), err)
	case err == nil:
		err = failure(&r, stderr.tail())
	}
	if r.Left != "" {
		call.Logf("%s could not be removed", r.Left)
	}
	if err != nil {
		call.Logf("failed after %s: %s", time.Since(began).Round(time.Millisecond), err)
		return plugin.Done, err
	}
	call.Logf("exit code 0 after %s", time.Since(began).Round(time.Millisecond))
	return plugin.Done, nil
}

// because tells why a script was ended, and what went wrong with that.
func because(why, wrong error) error {
	if wrong == nil {
		return why
	}
	return fmt.Errorf("%w; %w", why, wrong)
}

// longestReason is how much of the error output a failure quotes.
const longestReason = 500

// failure tells why a script failed, nil when it did not: its last words on stderr say more than a number.
func failure(r *result, stderr string) error {
	if r.Exit == 0 {
		return nil
	}
	text := fmt.Sprintf("exit code %d", r.Exit)
	if r.Signal != "" {
		text = "ended by " + r.Signal
	}
	words := strings.TrimSpace(stderr)
	words = words[strings.LastIndexByte(words, '\n')+1:]
	if words != "" {
		text += ": " + cut(words, longestReason)
	}
	return errors.New(text)
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// job makes what the guard is told.
func (s shell) job(call *plugin.Call, o *order) *job {
	env, left := variables(call.Variables)
	for _, name := range left {
		call.Logf("variable %.100s is not in the environment: its name or its value cannot be", name)
	}
	base := []string{
		"PATH=" + searchPath, "HOME=" + s.as.Home, "USER=" + s.as.Name, "LOGNAME=" + s.as.Name, "LANG=C.UTF-8",
		keyVariable + "=" + call.Key,
	}
	name := newName()
	return &job{
		Interpreter: o.interpreter, Script: o.script, Args: o.args, Env: merged(base, env, o.env), Dir: o.dir, Private: filepath.Join(os.TempDir(), name), Group: newGroup(name),
		Switch: !s.as.Same, UID: s.as.uid, GID: s.as.gid,
	}
}

// merged puts lists of NAME=value together; of equal names the last one counts.
func merged(lists ...[]string) []string {
	var all []string
	at := make(map[string]int)
	for _, list := range lists {
		for _, entry := range list {
			name, _, _ := strings.Cut(entry, "=")
			if i, again := at[name]; again {
				all[i] = entry
				continue
			}
			at[name] = len(all)
			all = append(all, entry)
		}
	}
	return all
}
