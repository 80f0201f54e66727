package sops

import (
	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
)

// requiredBody gives the object of a body that must not be empty; that it is an object was checked with the project.
func requiredBody(body *api.Body) (*stdops.Object, error) {
	if body.Object == nil {
		return nil, invalid("request body is not a valid json")
	}
	return body.Object, nil
}

// objectOf gives a field that must be an object when it is there; null counts as absent.
func objectOf(o *stdops.Object, name string) (field *stdops.Object, ok bool) {
	value, had := o.Get(name)
	if !had || value == nil {
		return nil, true
	}
	field, ok = value.(*stdops.Object)
	return field, ok
}

// isNull reports whether a field is there and null, where that is something else than absent.
func isNull(o *stdops.Object, name string) bool {
	value, had := o.Get(name)
	return had && value == nil
}

// textOf gives a field that must be a text when it is there; null counts as absent.
func textOf(o *stdops.Object, name string) (text string, ok bool) {
	value, had := o.Get(name)
	if !had || value == nil {
		return "", true
	}
	text, ok = value.(string)
	return text, ok
}

// textsOf gives a field that must be a list of texts when it is there; null counts as absent.
func textsOf(o *stdops.Object, name string) (texts []string, ok bool) {
	value, had := o.Get(name)
	if !had || value == nil {
		return nil, true
	}
	list, ok := value.([]any)
	if !ok {
		return nil, false
	}
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}
