package sops

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// longestTaskName is how many characters the name of a task has at most.
const longestTaskName = 100

// fastCreateTask makes a task of a tree of its own (docs/spec/api.md 4.3, 14).
func fastCreateTask(c *call) error {
	const name = "fast_create_task"
	access, err := c.project()
	if err != nil {
		return err
	}
	n, tree, err := readFastCreate(c.body)
	if err != nil {
		return err
	}
	service.Draw(tree)
	created, err := c.sops.svc.FastCreateTask(c.ctx, access, n, tree)
	if err != nil {
		return treeRefusal(name, stdops.CodeInvalid, err)
	}
	c.writeCreated(created)
	return nil
}

func readFastCreate(body *api.Body) (n service.NewTask, tree *stdops.Object, err error) {
	o, err := requiredBody(body)
	if err != nil {
		return n, nil, err
	}
	for _, key := range []string{"name", "pipeline_tree"} {
		if _, ok := o.Get(key); !ok {
			return n, nil, invalid("invalid params: '%s'", key)
		}
	}
	raw, _ := o.Get("name")
	name, ok := raw.(string)
	if n.Name = cutName(name); !ok || n.Name == "" {
		return n, nil, invalid("invalid params: 'name' must be a text that is not empty")
	}
	if tree, ok = objectOf(o, "pipeline_tree"); !ok || tree == nil {
		return n, nil, invalid("[API] fast_create_task get invalid pipeline_tree: it must be an object")
	}
	if n.FlowType, err = flowType(o); err != nil {
		return n, nil, invalid("invalid params: %s", err)
	}
	n.Description = o.Text("description")
	if n.Category = service.DefaultCategory; isCategory(o.Text("category")) {
		n.Category = o.Text("category")
	}
	return n, tree, nil
}

// cutName cleans the name of a task as bk-sops does: without the signs < > $ & ' " and cut to 100 characters.
func cutName(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>$&'"`, r) {
			return -1
		}
		return r
	}, name)
	if utf8.RuneCountInString(name) > longestTaskName {
		name = string([]rune(name)[:longestTaskName])
	}
	return name
}

func flowType(o *stdops.Object) (stdops.FlowType, error) {
	value, ok := o.Get("flow_type")
	if !ok {
		return stdops.FlowCommon, nil
	}
	switch value {
	case string(stdops.FlowCommon), string(stdops.FlowFunctional):
		return stdops.FlowType(value.(string)), nil
	default:
		return "", errors.New("flow_type must be common or common_func")
	}
}

// treeRefusal gives the text that callers of the endpoint know for a tree that is refused. A tree that merely could not
// run here is named by the position alone, with the same code everywhere (docs/spec/api.md 4.3).
func treeRefusal(endpoint string, code stdops.Code, err error) error {
	switch {
	case errors.Is(err, service.ErrForeignTemplate):
		return &stdops.Error{Code: stdops.CodeInvalid, Message: "[API] " + endpoint + " " + err.Error(), Err: err}
	case errors.Is(err, service.ErrInvalidTree):
		return &stdops.Error{Code: code, Message: "[API] " + endpoint + " get invalid pipeline_tree: " + err.Error(), Err: err}
	default:
		return err
	}
}

// writeCreated answers with the new task.
func (c *call) writeCreated(t *service.CreatedTask) {
	c.out.Data(stdops.NewObject("task_id", int64(t.Task.ID), "task_url", t.URL, "pipeline_tree", t.Tree), "", nil)
}
