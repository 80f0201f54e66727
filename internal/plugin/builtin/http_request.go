package builtin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/expr"
	"github.com/stdops/stdops/internal/outbound"
	"github.com/stdops/stdops/internal/plugin"
)

// httpRequest sends a request whose answer is JSON (docs/spec/engine.md 7.7).
type httpRequest struct{ client *outbound.Client }

// HTTPRequest makes the plugin that sends requests by client.
func HTTPRequest(client *outbound.Client) plugin.Plugin { return httpRequest{client} }

// Spec describes the plugin.
func (httpRequest) Spec() plugin.Spec {
	return plugin.Spec{
		Code: "bk_http_request", Versions: []string{"v1.0", "legacy"}, Name: "HTTP request", Group: "basic",
		Doc: "Sends a request. The node finishes when the answer has a status from 200 to 299, is JSON, and meets the condition.",
		Inputs: []plugin.Field{
			{Key: "bk_http_request_method", Name: "Method", Type: "string", Required: true},
			{Key: "bk_http_request_url", Name: "URL", Type: "string", Required: true, Doc: "http or https"},
			{Key: "bk_http_request_header", Name: "Headers", Type: "array", Doc: "objects with name and value"},
			{Key: "bk_http_request_body", Name: "Body", Type: "string", Doc: "not sent with GET and HEAD"},
			{Key: "bk_http_timeout", Name: "Time limit", Type: "integer", Doc: "seconds for the whole request, at most 60, which 0 means too"},
			{
				Key: "bk_http_success_exp", Name: "Condition of success", Type: "string",
				Doc: "a condition in which resp is the answer, such as resp.result == true",
			},
		},
		Outputs: []plugin.Field{
			{Key: "data", Name: "Answer", Type: "object"},
			{Key: "status_code", Name: "Status", Type: "integer"},
		},
		Class: plugin.HTTP, Execute: plugin.Unknown,
	}
}

// ExecuteRule lets requests be repeated that only read.
func (httpRequest) ExecuteRule(inputs *stdops.Object) plugin.CrashRule {
	if reads(methodOf(inputs)) {
		return plugin.Repeat
	}
	return plugin.Unknown
}

func methodOf(inputs *stdops.Object) string {
	return strings.ToUpper(strings.TrimSpace(inputs.Text("bk_http_request_method")))
}

func reads(method string) bool { return method == "GET" || method == head }

const head = "HEAD"

// Execute sends the request.
func (h httpRequest) Execute(ctx context.Context, call *plugin.Call) (plugin.Outcome, error) {
	request, err := requestOf(call)
	if err != nil {
		return plugin.Done, err
	}
	limit, err := timeLimitOf(call.Inputs)
	if err != nil {
		return plugin.Done, err
	}
	condition, err := textOf(call.Inputs, "bk_http_success_exp")
	if err != nil {
		return plugin.Done, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	call.Logf("send a %s request to %s", request.Method, request.Target())
	answer, err := h.client.Send(ctx, request)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no whole answer within %s", limit)
	}
	if err != nil {
		call.Logf("request failed: %v", err)
		return plugin.Done, fmt.Errorf("request failed: %w", err)
	}
	call.Logf("the answer has status %d and %d bytes", answer.Status, len(answer.Body))
	call.Outputs.Set("status_code", int64(answer.Status))
	return plugin.Done, judge(call, request.Method, answer, strings.TrimSpace(condition))
}

// answerForm reads what other programs write: of equal keys the last one counts. A text has far fewer values than its
// bytes allow, so that one answer does not take twenty times its size in memory.
var answerForm = stdops.Decoding{Repeat: true, Values: 200_000}

// judge keeps the answer and says why it is no success.
func judge(call *plugin.Call, method string, answer *outbound.Answer, condition string) error {
	var data any
	if method != head { // the answer to HEAD has no body
		var err error
		if data, err = answerForm.Decode(bytes.NewBuffer(bytes.TrimPrefix(answer.Body, []byte("\uFEFF")))); err != nil {
			call.Logf("the answer begins with %q", begin(answer.Body))
			return fmt.Errorf("the answer (status %d) is not JSON: %w", answer.Status, err)
		}
		call.Outputs.Set("data", data)
	}
	if answer.Status < 200 || answer.Status > 299 {
		return fmt.Errorf("request failed, status code: %d, response: %s", answer.Status, begin(answer.Body))
	}
	if condition == "" {
		return nil
	}
	ok, err := expr.Decide(condition, stdops.NewObject("resp", data))
	if err != nil {
		return fmt.Errorf("the condition of success cannot be decided: %w", err)
	}
	if !ok {
		return errors.New("the condition of success does not hold")
	}
	return nil
}

// shownAnswer is how much of an answer an error shows, in bytes.
const shownAnswer = 1000

func begin(body []byte) string {
	if len(body) <= shownAnswer {
		return string(body)
	}
	cut := shownAnswer
	for !utf8.RuneStart(body[cut]) {
		cut--
	}
	return string(body[:cut]) + "…"
}

// requestOf reads the inputs. The key of the call goes along, so that whoever is asked twice can tell.
func requestOf(call *plugin.Call) (r outbound.Request, err error) {
	if r.Method = methodOf(call.Inputs); r.Method == "" {
		return r, errors.New("bk_http_request_method: no method is given")
	}
	target, err := textOf(call.Inputs, "bk_http_request_url")
	if err != nil {
		return r, err
	}
	r.URL = strings.TrimSpace(target)
	lines := &stdops.Object{}
	lines.Set("Idempotency-Key", call.Key)
	if !reads(r.Method) {
		lines.Set("Content-Type", "application/json")
		if r.Body, err = bodyOf(call.Inputs); err != nil {
			return r, err
		}
	}
	if err := addHeaders(lines, call.Inputs); err != nil {
		return r, err
	}
	for _, name := range lines.Keys() {
		r.Headers = append(r.Headers, outbound.Header{Name: name, Value: lines.Text(name)})
	}
	return r, nil
}

// addHeaders reads the list of headers; of one that is given twice the last line counts.
func addHeaders(lines, inputs *stdops.Object) error {
	given, _ := inputs.Get("bk_http_request_header")
	if !stdops.Truth(given) {
		return nil
	}
	list, ok := given.([]any)
	if !ok {
		return errors.New("bk_http_request_header: it is not a list")
	}
	for i, item := range list {
		header, ok := item.(*stdops.Object)
		if !ok {
			return fmt.Errorf("bk_http_request_header: line %d is no object with name and value", i+1)
		}
		name, value := strings.TrimSpace(header.Text("name")), ""
		switch v, _ := header.Get("value"); v := v.(type) {
		case nil:
		case string:
			value = v
		case int64:
			value = strconv.FormatInt(v, 10)
		default:
			return fmt.Errorf("bk_http_request_header: the value of line %d is no text", i+1)
		}
		switch {
		case name == "" && value == "": // a row of the form that was left empty
		case name == "":
			return fmt.Errorf("bk_http_request_header: line %d has no name", i+1)
		default:
			lines.Set(textproto.CanonicalMIMEHeaderKey(name), value)
		}
	}
	return nil
}

// bodyOf gives the body; a value that is no text is sent as JSON.
func bodyOf(inputs *stdops.Object) (string, error) {
	switch body, _ := inputs.Get("bk_http_request_body"); body := body.(type) {
	case nil:
		return "", nil
	case string:
		return body, nil
	default:
		text, err := stdops.EncodeValue(body)
		return string(text), err
	}
}

func textOf(inputs *stdops.Object, key string) (string, error) {
	switch v, _ := inputs.Get(key); v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	default:
		return "", fmt.Errorf("%s: it is no text", key)
	}
}

// longestRequest is the time limit of a request that asks for none, or for more.
const longestRequest = 60 * time.Second

func timeLimitOf(inputs *stdops.Object) (time.Duration, error) {
	var seconds float64
	switch v, _ := inputs.Get("bk_http_timeout"); v := v.(type) {
	case nil:
	case int64:
		seconds = float64(v)
	case float64:
		seconds = v
	case string:
		if v = strings.TrimSpace(v); v == "" {
			break
		}
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("bk_http_timeout: %q is no number of seconds", v)
		}
		seconds = float64(n)
	default:
		return 0, errors.New("bk_http_timeout: it is no number of seconds")
	}
	if seconds < 0 {
		seconds = -seconds
	}
	if seconds = float64(int64(min(seconds, longestRequest.Seconds()))); seconds == 0 {
		return longestRequest, nil
	}
	return time.Duration(seconds) * time.Second, nil
}
