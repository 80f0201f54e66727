package lazy

import (
	"fmt"
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/expr"
)

// selected joins the options that were chosen.
func selected(c Choice, _ expr.Environment) (any, error) {
	if list, ok := c.Value.([]any); ok {
		return joined(list), nil
	}
	return c.Value, nil
}

func joined(list []any) string {
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i] = expr.Text(item)
	}
	return strings.Join(texts, ",")
}

// option is one of those that somebody can choose from.
type option struct{ text, value string }

// textAndValue gives the values and the texts of the options that were chosen, and those of the others.
func textAndValue(c Choice, _ expr.Environment) (any, error) {
	options, err := optionsOf(c.Meta)
	if err != nil {
		return nil, err
	}
	chosen, ok := c.Value.([]any)
	if !ok {
		chosen = []any{c.Value}
	}
	words := make(map[string]bool, len(chosen))
	for _, item := range chosen {
		words[expr.Text(item)] = true
	}
	var value, text, otherValue, otherText []string
	for _, o := range options {
		if words[o.value] {
			value, text = append(value, o.value), append(text, o.text)
		} else {
			otherValue, otherText = append(otherValue, o.value), append(otherText, o.text)
		}
	}
	return stdops.NewObject("value", strings.Join(value, ","), "text", strings.Join(text, ","),
		"value_not_selected", strings.Join(otherValue, ","), "text_not_selected", strings.Join(otherText, ",")), nil
}

// remoteSource is the datasource of options that come from an address.
const remoteSource = "1"

// optionsOf reads the options of a constant from its definition. Those of an address are what the form kept of them, or
// one that is empty: nothing is fetched while a flow runs.
func optionsOf(meta any) ([]option, error) {
	constant, _ := meta.(*stdops.Object)
	value, _ := constant.Get("value")
	form, _ := value.(*stdops.Object)
	source, _ := form.Get("datasource")
	key := "items_text"
	if expr.Text(source) == remoteSource {
		key = "remote_data"
	}
	items, _ := form.Get(key)
	if text, ok := items.(string); ok {
		decoded, err := stdops.DecodeValue([]byte(text))
		if err != nil && key == "items_text" {
			return nil, fmt.Errorf("items_text: no JSON: %w", err)
		}
		items = decoded
	}
	list, ok := items.([]any)
	switch {
	case !ok && key == "remote_data":
		return []option{{}}, nil
	case !ok:
		return nil, fmt.Errorf("items_text: no list of options")
	}
	options := make([]option, 0, len(list))
	for _, item := range list {
		o, _ := item.(*stdops.Object)
		text, hasText := o.Get("text")
		value, hasValue := o.Get("value")
		if !hasText || !hasValue {
			return nil, fmt.Errorf("%s: an option without text or value", key)
		}
		options = append(options, option{expr.Text(text), expr.Text(value)})
	}
	return options, nil
}
