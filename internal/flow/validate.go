package flow

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stdops/stdops"
)

// Validate checks the rules of docs/spec/engine.md 8.2 to 8.4 at every level, subprocesses before what holds them, and
// writes to every branching gateway the converge gateway where its branches meet. Loops through exclusive gateways are
// allowed. The error says where, as a path from the root, and what is wrong. So it does for the flows that activities make
// tasks of: nothing is left to be found when such a task is made.
func (t *Tree) Validate() error { return t.validate(t.levels()) }

// ValidateOwn is Validate for a flow that an activity makes a task of, before its constants are given what enters it.
func (t *Tree) ValidateOwn() error { return t.validateOwn("") }

func (t *Tree) validateOwn(at string) error {
	levels := t.levelsAt(at)
	levels[0].own = true
	return t.validate(levels)
}

func (t *Tree) validate(levels []level) error {
	for _, l := range slices.Backward(levels) {
		for _, n := range l.tree.activities {
			if n.own == nil {
				continue
			}
			if err := n.own.validateOwn(l.at + n.ownAt()); err != nil {
				return err
			}
		}
	}
	for _, check := range []func(level) error{validateLevel, checkRuntime} {
		for _, l := range slices.Backward(levels) {
			if err := check(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// ErrRuntimeRule is wrapped by the refusal of a tree that is well formed but breaks a rule of docs/spec/engine.md 8.4:
// one that bk-sops finds at the start only.
var ErrRuntimeRule = errors.New("the tree breaks a rule of execution")

func validateLevel(l level) error {
	for _, rule := range []func(level) error{checkKeys, checkSelfReferences, checkReferenceCycles} {
		if err := rule(l); err != nil {
			return err
		}
	}
	g, err := newNet(l)
	if err != nil {
		return err
	}
	if err := g.checkConditions(); err != nil {
		return err
	}
	if err := g.settle(); err != nil {
		return err
	}
	g.writeMatches()
	return nil
}

// invalid gives an error with its position.
func invalid(path, format string, args ...any) *stdops.Error {
	e := stdops.Errorf(stdops.CodeInvalid, format, args...)
	e.Message = shortPath(path) + ": " + e.Message
	return e
}

// unrunnable is [invalid] for the breach of a rule of execution.
func unrunnable(path, format string, args ...any) error {
	e := invalid(path, format, args...)
	e.Err = ErrRuntimeRule
	return e
}

const longestKey = 128

var keyPattern = regexp.MustCompile(`^\$\{[a-zA-Z0-9_]+\}$`)

// validKey reports whether text can name a constant. With no dot allowed, _system. needs no rule of its own.
func validKey(text string) bool {
	return keyPattern.MatchString(text) && !strings.HasPrefix(text, "${_env_")
}

// checkKeys is rules W2 to W4, reported together.
func checkKeys(l level) error {
	var problems []string
	say := func(place, what string) { problems = append(problems, shortPath(l.at+place)+": "+what) }
	for _, c := range l.tree.constants {
		if own := c.raw.Text("key"); own != c.Key {
			say("constants."+stdops.Short(c.Key), "constants "+stdops.Short(c.Key)+" key property value: "+stdops.Short(own)+" not matched")
		}
		if !validKey(c.Key) {
			say("constants."+stdops.Short(c.Key), "invalid key: "+stdops.Short(c.Key))
		}
	}
	for _, key := range l.tree.outputs {
		if !validKey(key) {
			say("outputs", "invalid outputs key: "+stdops.Short(key))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	if len(problems) > mostProblems {
		problems = append(problems[:mostProblems], "and more")
	}
	return stdops.Errorf(stdops.CodeInvalid, "%s", strings.Join(problems, "\n"))
}

// reads reports whether the value of a constant is read inside its level. That of a shown constant of a subprocess, or of a
// flow that an activity makes a task of, is not: it enters from the level around, where the same key is another variable.
func (l level) reads(c *Constant) bool {
	if l.own {
		return !c.Shown || !flag(c.raw, "need_render", true)
	}
	return l.holder == nil || !c.Shown
}

// checkSelfReferences is rule W5.
func checkSelfReferences(l level) error {
	var keys []string
	for _, c := range l.tree.constants {
		if l.reads(c) && contains(c.Value, c.Key) {
			keys = append(keys, c.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return invalid(l.at+"constants."+stdops.Short(keys[0])+".value", "constants refer to themselves: %s", shortList(keys))
}

func shortList(keys []string) string {
	const most = 10
	text := strings.Join(mapped(keys[:min(len(keys), most)], stdops.Short), ", ")
	if len(keys) > most {
		text += ", …"
	}
	return text
}

// contains reports whether a text inside v contains part.
func contains(v any, part string) bool {
	for text := range texts(v) {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// texts gives every text inside v: strings at any depth, and the keys of objects.
func texts(v any) func(yield func(string) bool) {
	return func(yield func(string) bool) { walkTexts(v, yield) }
}

func walkTexts(v any, yield func(string) bool) bool {
	switch v := v.(type) {
	case string:
		return yield(v)
	case []any:
		for _, item := range v {
			if !walkTexts(item, yield) {
				return false
			}
		}
	case *stdops.Object:
		for _, key := range v.Keys() {
			item, _ := v.Get(key)
			if !yield(key) || !walkTexts(item, yield) {
				return false
			}
		}
	}
	return true
}

// checkReferenceCycles is rule W6: like W5 it sees the exact text of keys only.
func checkReferenceCycles(l level) error {
	place := make(map[string]int, len(l.tree.constants))
	for i, c := range l.tree.constants {
		place[c.Key] = i
	}
	refs := make([][]int, len(l.tree.constants))
	for i, c := range l.tree.constants {
		if !l.reads(c) {
			continue
		}
		for text := range texts(c.Value) {
			for _, key := range exactKeys(text) {
				if j, ok := place[key]; ok {
					refs[i] = append(refs[i], j)
				}
			}
		}
	}
	cycle := findCycle(refs)
	if cycle == nil {
		return nil
	}
	keys := make([]string, len(cycle))
	for i, j := range cycle {
		keys[i] = stdops.Short(l.tree.constants[j].Key)
	}
	const most = 10
	if len(keys) > most {
		keys = append(append(keys[:most/2:most/2], "…"), keys[len(keys)-most/2:]...)
	}
	return invalid(l.at+"constants."+keys[0]+".value", "constants refer to each other in a circle: %s", strings.Join(keys, " → "))
}

var exactKey = regexp.MustCompile(`\$\{[a-zA-Z0-9_]+\}`)

func exactKeys(text string) []string {
	if !strings.Contains(text, "${") {
		return nil
	}
	return exactKey.FindAllString(text, -1)
}

// findCycle gives the nodes of a cycle, the first again at the end, or nil.
func findCycle(next [][]int) []int {
	const open, closed = 1, 2
	state, done := make([]byte, len(next)), make([]int, len(next))
	for root := range next {
		if state[root] != 0 {
			continue
		}
		stack := []int{root}
		state[root] = open
		for len(stack) > 0 {
			n := stack[len(stack)-1]
			if done[n] == len(next[n]) {
				state[n] = closed
				stack = stack[:len(stack)-1]
				continue
			}
			m := next[n][done[n]]
			done[n]++
			switch state[m] {
			case 0:
				state[m] = open
				stack = append(stack, m)
			case open:
				return append(slices.Clone(stack[slices.Index(stack, m):]), m)
			}
		}
	}
	return nil
}

// checkRuntime is docs/spec/engine.md 8.4, but for the type of activities, which is part of the form of a tree, and for
// plugins, which this package does not know.
func checkRuntime(l level) error {
	for _, c := range l.tree.constants {
		if utf8.RuneCountInString(c.Key) > longestKey {
			return unrunnable(l.at+"constants."+stdops.Short(c.Key), "the key is longer than %d characters", longestKey)
		}
	}
	for _, n := range l.tree.activities {
		if n.kind == stdops.KindSubprocess {
			continue
		}
		path := l.at + n.path()
		if err := checkPolicies(n, path); err != nil {
			return err
		}
		if err := checkInputs(n, path); err != nil {
			return err
		}
	}
	return nil
}

func checkInputs(n *node, path string) error {
	data, _ := n.raw.Get("component")
	items, _ := data.(*stdops.Object).Get("data")
	for _, in := range n.component.inputs {
		item, _ := items.(*stdops.Object).Get(in.Key)
		if in.Render && flag(item.(*stdops.Object), "is_param", false) {
			return unrunnable(path+".component.data."+stdops.Short(in.Key), "is_param and need_render cannot be selected at the same time")
		}
	}
	return nil
}

func checkPolicies(n *node, path string) error {
	policy, on := enabled(n.raw, "timeout_config")
	if !on {
		return nil
	}
	_, retried := enabled(n.raw, "auto_retry")
	if retried || flag(n.raw, "error_ignorable", false) {
		return unrunnable(path+".timeout_config",
			"timeout_config can not be enabled with error_ignorable or auto_retry at the same time")
	}
	if action, had := policy.Get("action"); had && action != actionFail && action != actionSkip {
		return unrunnable(path+".timeout_config.action", "must be %s or %s", actionFail, actionSkip)
	}
	return nil
}
