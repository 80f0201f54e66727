package v1

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stdops/stdops/client"
)

// place is a parameter in the path of an operation.
var place = regexp.MustCompile(`\{[a-z]+\}`)

// operations gives the methods and paths of all operations, in order.
func operations(f *testing.F, b *bundle) (all []string) {
	f.Helper()
	w := httptest.NewRecorder()
	b.local.ServeHTTP(w, httptest.NewRequestWithContext(f.Context(), http.MethodGet, DescriptionPath, nil))
	var description struct{ Paths map[string]map[string]any }
	must(f, json.Unmarshal(w.Body.Bytes(), &description))
	for _, path := range slices.Sorted(maps.Keys(description.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(description.Paths[path])) {
			all = append(all, strings.ToUpper(method)+" "+path)
		}
	}
	return all
}

// FuzzRequest sends any query, body and last parameter of the path to every operation, as an administrator. An answer is
// JSON or a file, a refusal is a problem of the caller.
func FuzzRequest(f *testing.F) {
	b := setupLog(f, nil, slog.New(slog.DiscardHandler))
	all := operations(f, b)
	for i := range all {
		f.Add(uint8(i), "1", "limit=2&attempt=1&from=1&fields=id", []byte(`{"name":"x","biz":7,"tree":{"activities":{}},"flow":1,"ids":[1,1e3],"user":"ann"}`))
		f.Add(uint8(i), "ann", "limit=x&state=\xff&from=-1", []byte(`{"name":null,"code":"c","command":"pause","constants":{"${a}":[]},"roles":{"1":"viewer"}}`))
		f.Add(uint8(i), "x", "", []byte(`{"link":"\u0000","name":" ann","token":""}`))
		f.Add(uint8(i), "%00/..", "%zz;", []byte("{\"Name\":\"\xff\",\"name\":1,\"name\":2} x"))
		f.Add(uint8(i), "", "", []byte(strings.Repeat("[", 600)))
	}
	f.Fuzz(func(t *testing.T, operation uint8, last, query string, body []byte) {
		method, path, _ := strings.Cut(all[int(operation)%len(all)], " ")
		if at := place.FindAllStringIndex(path, -1); len(at) > 0 {
			end := at[len(at)-1]
			path = path[:end[0]] + last + path[end[1]:]
		}
		r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1/", strings.NewReader(string(body)))
		r.URL = &url.URL{Scheme: "http", Host: "127.0.0.1", Path: place.ReplaceAllString(path, "1"), RawQuery: query}
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		b.local.ServeHTTP(w, r)
		text, kind := w.Body.Bytes(), w.Header().Get("Content-Type")
		if w.Code >= 500 {
			t.Errorf("%s %s: status %d: %.300s", method, r.URL, w.Code, text)
		}
		if len(text) > 0 && strings.Contains(kind, "json") && !json.Valid(text) {
			t.Errorf("%s %s: no JSON: %.300q", method, r.URL, text)
		}
		if w.Code < 400 || method == http.MethodHead {
			return
		}
		var refusal client.Error
		if err := json.Unmarshal(text, &refusal); err != nil || refusal.Message == "" || refusal.Status != w.Code {
			t.Errorf("%s %s: status %d, %v: %.300s", method, r.URL, w.Code, err, text)
		}
	})
}
