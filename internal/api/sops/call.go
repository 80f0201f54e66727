package sops

import (
	"context"
	"encoding/json"
	"math"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// call is one request to one endpoint.
type call struct {
	sops   *sops
	ctx    context.Context
	route  route
	query  url.Values
	body   *api.Body
	posted bool
	packs  bool // the caller reads gzip
	caller *service.Caller
	access *service.Access // of a request with a key
	out    *api.Writer
}

func invalid(format string, args ...any) error {
	return stdops.Errorf(stdops.CodeInvalid, format, args...)
}

// project resolves the project of the call: the first step of every endpoint that has one. The form of the body is
// checked here, because the scope stands in it; an empty body passes (docs/spec/api.md 1.3).
func (c *call) project() (*service.Access, error) {
	if c.access != nil {
		return c.access, nil
	}
	if err := c.checkBody(); err != nil {
		return nil, err
	}
	id, err := c.id(projectID)
	if err != nil {
		return nil, err
	}
	scope, err := c.scope()
	if err != nil {
		return nil, err
	}
	return c.sops.svc.Access(c.ctx, c.caller, service.ProjectRef{ID: id, Scope: scope})
}

func (c *call) checkBody() error {
	switch {
	case c.body.Err != nil:
		return invalid("invalid param format: %s", c.body.Err)
	case c.body.Object == nil && !c.body.Empty:
		return invalid("invalid param format")
	}
	return nil
}

const longestScope = 64

func (c *call) scope() (string, error) {
	value, ok := c.parameter("scope")
	if !ok {
		return service.ScopeBiz, nil
	}
	scope, ok := value.(string)
	switch {
	case !ok:
		return "", invalid("scope must be a string")
	case strings.ContainsFunc(scope, unicode.IsControl):
		return "", invalid("scope contains control characters")
	case len(scope) > longestScope:
		return "", invalid("scope is longer than %d bytes", longestScope)
	}
	return scope, nil
}

// parameter gives a parameter of the call from where its method puts it: the body of a POST, else the query, where an
// empty one counts as absent.
func (c *call) parameter(name string) (any, bool) {
	if c.posted {
		return c.body.Object.Get(name)
	}
	if text := c.query.Get(name); text != "" {
		return text, true
	}
	return nil, false
}

// text gives a parameter as text, the way a query would carry it.
func (c *call) text(name string) string {
	value, ok := c.parameter(name)
	if !ok || value == nil {
		return ""
	}
	return stdops.ValueText(value)
}

// flag reads a flag of a query: an absent or empty one is off, and a word that is neither true nor false is on, because
// callers of bk-sops found that any text was (docs/spec/api.md 1.11).
func (c *call) flag(name string) bool {
	value, ok := c.parameter(name)
	if !ok || value == nil || value == "" {
		return false
	}
	on, known := boolean(value)
	return on || !known
}

// id gives the digits of an id: from the path, or in the component families from the parameters.
func (c *call) id(p part) (string, error) {
	if digits, ok := c.route.ids[p]; ok {
		return digits, nil
	}
	for _, name := range c.names(p) {
		if value, ok := c.parameter(name); ok && value != nil {
			digits, ok := idDigits(value)
			if !ok {
				return "", invalid("param %s must be a number", name)
			}
			return digits, nil
		}
	}
	return "", invalid("param %s is required", c.names(p)[0])
}

// names gives the parameters that may carry an id. Two endpoints call the project by another name.
func (c *call) names(p part) []string {
	if name := c.route.endpoint.name; p == projectID && (name == "create_template" || name == "import_project_template") {
		return []string{"project_id", string(projectID)}
	}
	return []string{string(p)}
}

func idDigits(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, allDigits(v)
	case int64:
		return strconv.FormatInt(v, 10), v >= 0
	case *big.Int:
		return v.String(), v.Sign() >= 0
	case json.Number:
		return v.String(), allDigits(v.String())
	default:
		return "", false
	}
}

// task gives the id of the call's task; digits beyond every id give 0, which no task has.
func (c *call) task() (id stdops.TaskID, digits string, err error) {
	digits, err = c.id(taskID)
	return stdops.TaskID(number(digits)), digits, err
}

// template gives the id of the call's template, like [call.task].
func (c *call) template() (id stdops.TemplateID, digits string, err error) {
	digits, err = c.id(templateID)
	return stdops.TemplateID(number(digits)), digits, err
}

func number(digits string) int64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n == math.MaxInt64 {
		return 0
	}
	return n
}
