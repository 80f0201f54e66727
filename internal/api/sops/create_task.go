package sops

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// createTask makes a task of a stored flow (docs/spec/api.md 4.3, 12).
func createTask(c *call) error {
	return c.createFromTemplate(creation{name: "create_task", source: service.SourceProject, problem: "task params is invalid"})
}

// createAndStartTask makes a task of a stored flow and starts it in the same commit (docs/spec/api.md 4.3, 13). It knows
// fewer parameters than create_task.
func createAndStartTask(c *call) error {
	return c.createFromTemplate(creation{
		name: "create_and_start_task", source: "business", problem: "task parmas is invalid", start: true,
	})
}

// creation is what the two endpoints differ in.
type creation struct {
	name    string
	source  string // template_source when none is sent
	problem string // how a refusal of the parameters begins
	start   bool
}

// createFromTemplate keeps the order of checks that callers see: permission, callback_url, template, parameters, tree.
func (c *call) createFromTemplate(as creation) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	body, err := requiredBody(c.body)
	if err != nil {
		return err
	}
	source := templateSource(body, as.source)
	common := source != service.SourceProject && source != "business"
	if err := access.RequireUse(common); err != nil {
		return err
	}
	if err := checkCallbackURL(body); err != nil {
		return err
	}
	id, digits, err := c.template()
	if err != nil {
		return err
	}
	use, err := c.sops.svc.UseTemplate(c.ctx, access, id, common)
	if err != nil {
		return missingTemplate(err, access, digits, common)
	}
	p := readCreation(body, as)
	if err := p.refusal(as.problem); err != nil {
		return err
	}
	p.task.Template, p.task.Common, p.task.Source = id, common, source
	created, err := c.create(use, p)
	if err != nil {
		return creationRefusal(as.name, err)
	}
	c.writeCreated(created)
	return nil
}

func (c *call) create(use *service.Use, p *creationParams) (*service.CreatedTask, error) {
	if p.tree != nil {
		service.Draw(p.tree)
		return c.sops.svc.CreateTaskWithTree(c.ctx, use, p.task, p.tree)
	}
	return c.sops.svc.CreateTask(c.ctx, use, p.task)
}

// templateSource gives the word for where the flow is from, which is stored with the task.
func templateSource(body *stdops.Object, without string) string {
	if word := body.Text("template_source"); word != "" {
		return word
	}
	return without
}

func missingTemplate(err error, access *service.Access, digits string, common bool) error {
	if stdops.ErrorCode(err) != stdops.CodeNotFound {
		return err
	}
	if common {
		return stdops.Errorf(stdops.CodeNotFound, "common template[id=%s] does not exist", digits)
	}
	return stdops.Errorf(stdops.CodeNotFound, "template[id=%s] of project[project_id=%d,biz_id=%d] does not exist",
		digits, access.Project(), access.Biz())
}

// creationRefusal gives the texts of the creating endpoints: of these, trees and selections are refused as unknown errors.
func creationRefusal(name string, err error) error {
	var unknown service.UnknownSchemes
	if errors.As(err, &unknown) {
		return invalid("unknown template_schemes_id: %s", strings.Join(unknown, ", "))
	}
	if errors.Is(err, service.ErrSelection) {
		return &stdops.Error{
			Code: stdops.CodeEngine, Message: "[API] " + name + " create pipeline without tree error: " + err.Error(), Err: err,
		}
	}
	return treeRefusal(name, stdops.CodeEngine, err)
}

// creationParams are the parameters of a creating endpoint; problems are what is wrong with their form.
type creationParams struct {
	task     service.TemplateTask
	tree     *stdops.Object
	problems []string
	conflict error
}

func readCreation(body *stdops.Object, as creation) *creationParams {
	p := &creationParams{}
	p.task.Start = as.start
	p.task.Name = p.name(body)
	p.task.Description = p.text(body, "description")
	p.text(body, "template_source") // by now the flow was found by it
	flow, err := flowType(body)
	if p.task.FlowType = flow; err != nil {
		p.problem("%s", err)
	}
	p.task.Constants = p.object(body, "constants")
	p.task.Exclude = p.texts(body, "exclude_task_nodes_id")
	if !as.start {
		p.task.Execute = p.texts(body, "execute_task_nodes_id")
		p.task.Simplified = p.texts(body, "simplify_vars")
		p.tree = p.object(body, "pipeline_tree")
	}
	p.task.Schemes, p.conflict = readSchemes(body)
	return p
}

// refusal gives the first refusal in the order of bk-sops: form, then what excludes each other.
func (p *creationParams) refusal(prefix string) error {
	switch {
	case len(p.problems) > 0:
		return invalid("%s: %s", prefix, strings.Join(p.problems, ","))
	case p.conflict != nil:
		return p.conflict
	case len(p.task.Schemes) > 0 && p.tree != nil:
		return invalid("template_schemes_id can not be used with pipeline_tree")
	case len(p.task.Schemes) > 0 && (len(p.task.Exclude) > 0 || len(p.task.Execute) > 0):
		return invalid("template_schemes_id can not be used with exclude_task_nodes_id or execute_task_nodes_id")
	}
	return nil
}

func (p *creationParams) problem(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

func (p *creationParams) name(body *stdops.Object) string {
	value, ok := body.Get("name")
	name, isText := value.(string)
	switch size := utf8.RuneCountInString(name); {
	case !ok:
		p.problem("'name' is a required property")
	case !isText:
		p.problem("name: must be a string")
	case size < 1 || size > longestTaskName:
		p.problem("name: must have 1 to %d characters", longestTaskName)
	}
	return name
}

func (p *creationParams) text(body *stdops.Object, name string) string {
	value, ok := body.Get(name)
	text, isText := value.(string)
	if ok && !isText {
		p.problem("%s: must be a string", name)
	}
	return text
}

func (p *creationParams) object(body *stdops.Object, name string) *stdops.Object {
	o, ok := objectOf(body, name)
	if !ok {
		p.problem("%s: must be an object", name)
	}
	return o
}

func (p *creationParams) texts(body *stdops.Object, name string) []string {
	value, ok := body.Get(name)
	if !ok {
		return nil
	}
	list, ok := value.([]any)
	if !ok {
		p.problem("%s: must be an array", name)
		return nil
	}
	texts := make([]string, 0, len(list))
	for i, item := range list {
		text, ok := item.(string)
		if !ok {
			p.problem("%s.%d: must be a string", name, i)
			return nil
		}
		texts = append(texts, text)
	}
	return texts
}

// readSchemes reads template_schemes_id: a text, a positive number, or a list of these. Digits name the same scheme as
// the number that they write.
func readSchemes(body *stdops.Object) ([]string, error) {
	value, ok := body.Get("template_schemes_id")
	if !ok || value == nil || value == "" {
		return nil, nil
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var schemes, repeated []string
	for _, item := range list {
		scheme, ok := schemeID(item)
		if !ok {
			return nil, invalid("invalid template_schemes_id: all items must be non-empty strings or positive integers")
		}
		if slices.Contains(schemes, scheme) && !slices.Contains(repeated, scheme) {
			repeated = append(repeated, scheme)
		}
		schemes = append(schemes, scheme)
	}
	if len(repeated) > 0 {
		return nil, invalid("duplicate template_schemes_id: %s", strings.Join(repeated, ", "))
	}
	return schemes, nil
}

func schemeID(item any) (string, bool) {
	switch v := item.(type) {
	case string:
		v = strings.TrimSpace(v)
		if allDigits(v) {
			v = strings.TrimLeft(v, "0")
		}
		return shown(v), v != ""
	case int64:
		return fmt.Sprint(v), v > 0
	default:
		return "", false
	}
}
