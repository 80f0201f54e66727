package script

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/stdops/stdops"
)

const (
	defaultInterpreter = "/bin/sh"
	defaultTimeout     = time.Hour
	longestTimeout     = 30 * 24 * time.Hour
)

// order is what a node asks for.
type order struct {
	script      string
	interpreter []string
	args        []string
	env         []string
	dir         string
	timeout     time.Duration
}

// readOrder reads the inputs of a node.
func readOrder(inputs *stdops.Object) (o order, err error) {
	o = order{script: inputs.Text("script"), interpreter: strings.Fields(inputs.Text("interpreter")), dir: inputs.Text("cwd")}
	if strings.TrimSpace(o.script) == "" {
		return o, errors.New("script: it is empty")
	}
	if len(o.interpreter) == 0 {
		o.interpreter = []string{defaultInterpreter}
	}
	if o.timeout, err = readTimeout(inputs); err != nil {
		return o, err
	}
	if o.args, err = readArgs(inputs); err != nil {
		return o, err
	}
	if o.env, err = readEnv(inputs); err != nil {
		return o, err
	}
	for _, text := range append(append(append([]string{o.dir}, o.interpreter...), o.args...), o.env...) {
		if strings.ContainsRune(text, 0) {
			return o, errors.New("interpreter, args, env and cwd must not hold zero bytes")
		}
		if len(text) > maxString {
			return o, fmt.Errorf("one of args and env has %d bytes, the limit is %d", len(text), maxString)
		}
	}
	if o.dir != "" && !strings.HasPrefix(o.dir, "/") {
		return o, fmt.Errorf("cwd: %.200q is no absolute path", o.dir)
	}
	return o, nil
}

func readTimeout(inputs *stdops.Object) (time.Duration, error) {
	value, ok := inputs.Get("timeout")
	if !ok || value == nil || value == "" {
		return defaultTimeout, nil
	}
	text, ok := scalar(value)
	seconds, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || seconds < 1 || seconds > int64(longestTimeout/time.Second) {
		return 0, fmt.Errorf("timeout: %.100s is not a number of seconds from 1 to %d", text, int64(longestTimeout/time.Second))
	}
	return time.Duration(seconds) * time.Second, nil
}

// readArgs reads a list, or a text of which each line is an argument.
func readArgs(inputs *stdops.Object) ([]string, error) {
	value, _ := inputs.Get("args")
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		return lines(v), nil
	case []any:
		args := make([]string, len(v))
		for i, item := range v {
			text, ok := scalar(item)
			if !ok {
				return nil, fmt.Errorf("args: number %d is neither text nor number", i+1)
			}
			args[i] = text
		}
		return args, nil
	default:
		text, ok := scalar(v)
		if !ok {
			return nil, errors.New("args: a list is expected, or a text with an argument on each line")
		}
		return []string{text}, nil
	}
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readEnv reads an object, or a text whose lines are NAME=value.
func readEnv(inputs *stdops.Object) ([]string, error) {
	value, _ := inputs.Get("env")
	var env []string
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		env = lines(v)
	case *stdops.Object:
		for _, name := range v.Keys() {
			item, _ := v.Get(name)
			text, ok := scalar(item)
			if !ok {
				return nil, fmt.Errorf("env: %.100s is neither text nor number", name)
			}
			env = append(env, name+"="+text)
		}
	default:
		return nil, errors.New("env: an object is expected, or a text with NAME=value on each line")
	}
	for _, entry := range env {
		name, _, ok := strings.Cut(entry, "=")
		if !ok || !envName.MatchString(name) {
			return nil, fmt.Errorf("env: %.100q is no name of a variable", name)
		}
	}
	return env, nil
}

func lines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// scalar gives the text of a value that is no container.
func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case nil, []any, *stdops.Object:
		return "", false
	default:
		text, err := stdops.EncodeValue(v)
		return string(text), err == nil
	}
}

// Names of variables that scripts are given, and what all of them together and one of them may have in bytes: the kernel
// refuses to start a program with more.
const (
	keyVariable    = "STDOPS_IDEMPOTENCY_KEY"
	variablePrefix = "STDOPS_VAR_"
	maxString      = 120 << 10
	maxVariables   = 1 << 20
)

// variables gives the variables of the task as variables of the environment. Those that cannot be such are left out and
// named.
func variables(values *stdops.Object) (env, left []string) {
	room := maxVariables
	for _, name := range values.Keys() {
		value, _ := values.Get(name)
		text, ok := value.(string)
		if !ok {
			encoded, err := stdops.EncodeValue(value)
			if text = string(encoded); err != nil {
				text = "\x00"
			}
		}
		entry := variablePrefix + name + "=" + text
		if !envName.MatchString(name) || strings.ContainsRune(text, 0) || len(entry) > maxString || len(entry) > room {
			left = append(left, name)
			continue
		}
		room -= len(entry)
		env = append(env, entry)
	}
	return env, left
}
