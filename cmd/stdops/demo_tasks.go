package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/examples"
	"github.com/stdops/stdops/internal/plugin/script"
)

// demoTask is a task of the demonstration: the flow that it is made of, and how it will stand once it has settled.
type demoTask struct {
	flow, name string
	constants  map[string]json.RawMessage
	unstarted  bool
	pause      string // node in front of which it is to stop
	wrote      string // node whose log is worth a look

	state string
	at    string // node that it waits at, in that state
	id    int64
}

// demoTasks are chosen so that one answer shows every state of the founding page.
func demoTasks() []demoTask {
	tasks := []demoTask{
		{flow: "deploy", name: "Deploy v1.4.2 to production", state: client.Finished},
		{flow: "backup", name: "Back up the orders", state: client.Finished},
		{flow: "wait-until-healthy", name: "Restart checkout until it is healthy", state: client.Finished},
		{flow: "release-with-approval", name: "Release v2.0.0", state: client.Running, at: "Approve the release"},
		{flow: "maintenance-window", name: "Maintenance tonight", state: client.Failed, at: "Wait for the window"},
		{
			flow: "rolling-restart", name: "Restart the web servers", pause: "Restart server 2",
			state: client.NodeSuspended, at: "Restart server 2",
		},
		{
			flow: "deploy", name: "Deploy v1.5.0 to staging", unstarted: true, state: client.Created,
			constants: map[string]json.RawMessage{"${version}": json.RawMessage(`"v1.5.0"`), "${stage}": json.RawMessage(`"staging"`)},
		},
	}
	if demoScripts() != "" {
		tasks = append(tasks, demoTask{flow: "check-the-disk", name: "Check the disk", state: client.Finished, wrote: "Look at the disk"})
	}
	return tasks
}

// demoScripts is how the demonstration lets flows run scripts, "" where they cannot.
func demoScripts() string {
	const setting = "same-user"
	if _, err := script.ParseAs(setting); err != nil {
		return ""
	}
	return setting
}

// start stores the flows that are not stored yet and makes the tasks of this run.
func (d *demo) start(ctx context.Context) error {
	d.tasks = demoTasks()
	flows, err := d.flows(ctx)
	if err != nil {
		return err
	}
	for i := range d.tasks {
		t := &d.tasks[i]
		made, err := d.to.CreateTask(ctx, d.projectID, client.NewTask{
			Name: t.name, Flow: flows[t.flow], Constants: t.constants, Start: !t.unstarted,
		})
		if err != nil {
			return fmt.Errorf("make task %q: %w", t.name, err)
		}
		t.id = made.ID
		if t.pause == "" {
			continue
		}
		if _, err := d.to.Do(ctx, d.projectID, t.id, client.Command{Command: "pause-node", Node: t.pause}); err != nil {
			return fmt.Errorf("pause task %q at %s: %w", t.name, t.pause, err)
		}
	}
	return nil
}

// flows gives the ids of the example flows by name. A run before this one has stored them already.
func (d *demo) flows(ctx context.Context) (map[string]int64, error) {
	stored, err := d.to.Flows(ctx, d.projectID)
	if err != nil {
		return nil, err
	}
	ids := map[string]int64{}
	for _, f := range stored.Flows {
		ids[f.Name] = f.ID
	}
	for _, t := range d.tasks {
		if ids[t.flow] != 0 {
			continue
		}
		tree, err := examples.Tree(t.flow)
		if err != nil {
			return nil, fmt.Errorf("read example: %w", err)
		}
		made, err := d.to.CreateFlow(ctx, d.projectID, client.NewFlow{Name: t.flow, Tree: tree})
		if err != nil {
			return nil, fmt.Errorf("store flow %s: %w", t.flow, err)
		}
		ids[t.flow] = made.ID
	}
	return ids, nil
}

func (d *demo) ids() []int64 {
	ids := make([]int64, len(d.tasks))
	for i := range d.tasks {
		ids[i] = d.tasks[i].id
	}
	return ids
}

// settled reports whether every task stands as it will go on to stand.
func (d *demo) settled(list *client.StatusList) bool {
	if len(list.Tasks) != len(d.tasks) {
		return false
	}
	for i := range list.Tasks {
		want := &d.tasks[i]
		if list.Tasks[i].State != want.state || want.at != "" && whereabouts(&list.Tasks[i]) != want.at {
			return false
		}
	}
	return true
}

// demoSecret reads the secret of the demo's app, or makes one: the server stores only what cannot be turned back into it,
// and the next run has to print it again.
func demoSecret(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read secret: %w", err)
	}
	raw := make([]byte, 16)
	rand.Read(raw) // never fails: it ends the program where the system has no entropy
	secret := hex.EncodeToString(raw)
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep secret: %w", err)
	}
	return secret, nil
}

// link makes the link that signs the demo's user in at the pages.
func (d *demo) link(ctx context.Context) (string, error) {
	_, err := d.to.CreateUser(ctx, client.NewUser{Name: demoUser, Admin: true})
	var refused *client.Error
	if err != nil && (!errors.As(err, &refused) || refused.Status != http.StatusConflict) { // a conflict: it was made before
		return "", err
	}
	made, err := d.to.CreateLoginLink(ctx, client.NewLoginLink{User: demoUser})
	if err != nil {
		return "", err
	}
	return made.URL, nil
}
