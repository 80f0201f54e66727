package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/stdops/stdops/client"
)

// demoBiz is the business that the first project of a new server is bound to.
const demoBiz = 2

// statusRequest is the one request that the demonstration is about.
type statusRequest struct {
	AppCode   string  `json:"bk_app_code"`
	AppSecret string  `json:"bk_app_secret"`
	Username  string  `json:"bk_username"`
	IDs       []int64 `json:"task_id_list"`
}

// tell prints the request, its answer, and what to try next.
func (d *demo) tell(ctx context.Context) error {
	link, err := d.link(ctx) // makes the user first, so that the request finds it
	if err != nil {
		return fmt.Errorf("make sign-in link: %w", err)
	}
	url := fmt.Sprintf("%s/apigw/get_tasks_status/%d/", strings.TrimRight(d.server.PublicURL(), "/"), demoBiz)
	body, err := json.Marshal(statusRequest{demoApp, d.secret, demoUser, d.ids()})
	if err != nil {
		return fmt.Errorf("write request: %w", err)
	}
	d.say("\nOne request tells how all of them stand. It works when pasted:\n\n  curl -s -X POST %s -H 'Content-Type: application/json' -d %s\n",
		quote(url), quote(string(body)))
	answer, err := ask(ctx, url, body)
	if err != nil {
		return err
	}
	d.say("\nIts answer:\n\n%s\n", answer)
	if err := d.allStates(answer); err != nil {
		return err
	}
	d.say("\nThe pages, signed in (the link works once, for 15 minutes):\n\n  %s\n", link)
	d.tryNext()
	return nil
}

// ask sends exactly what was printed.
func ask(ctx context.Context, url string, body []byte) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("ask for the status: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", fmt.Errorf("read status: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the status was refused: %s", text)
	}
	return strings.TrimSpace(string(text)), nil
}

// allStates makes sure that the answer shows what the demonstration promises.
func (d *demo) allStates(text string) error {
	var answer struct {
		Data []struct {
			ID     int64
			Status struct{ State string }
		}
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return fmt.Errorf("the answer is no JSON: %w", err)
	}
	states := map[int64]string{}
	for _, entry := range answer.Data {
		states[entry.ID] = entry.Status.State
	}
	for _, t := range d.tasks {
		if states[t.id] != t.state {
			return fmt.Errorf("task %d shows %q, not %s", t.id, states[t.id], t.state)
		}
	}
	return nil
}

// tryNext prints commands that bring the tasks on which wait for somebody.
func (d *demo) tryNext() {
	d.say("\nWhat to try next, in another terminal:\n\n")
	for _, t := range d.tasks {
		what, words := "", []string(nil)
		id := strconv.FormatInt(t.id, 10)
		switch {
		case t.wrote != "":
			what, words = "see what it has written", []string{"task", "log", id, t.wrote}
		case t.state == client.Running:
			what, words = "approve", []string{"task", "operate", id, "callback", "--node", t.at, "--data", `{"approved": true}`}
		case t.state == client.Failed:
			what, words = "retry with a time that there is", []string{"task", "operate", id, "retry", "--node", t.at, "--inputs", `{"bk_timing": "3"}`}
		case t.state == client.NodeSuspended:
			what, words = "resume", []string{"task", "operate", id, "resume-node", "--node", t.at}
		case t.state == client.Created:
			what, words = "start", []string{"task", "start", id}
		default:
			continue
		}
		d.say("  # %s: %s\n  %s\n", t.name, what, d.command(words...))
	}
	words := []string{"task", "watch"}
	for _, id := range d.ids() {
		words = append(words, strconv.FormatInt(id, 10))
	}
	d.say("  # follow them all\n  %s\n", d.command(words...))
}

// command gives a call of this program that finds the demo's server.
func (d *demo) command(words ...string) string {
	line := []string{d.program}
	for _, word := range append(words, "--data-dir", d.dir) {
		line = append(line, quote(word))
	}
	return strings.Join(line, " ")
}
