package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// KeyLife is how long the key of a request is kept, from its effect on.
const KeyLife = 24 * time.Hour

// Request is what makes a request the same as another one.
type Request struct {
	Key  string // Idempotency-Key
	Hash []byte // of who asks for what, with which parameters
}

// Done is what a request has done, for its answer to be made again.
type Done struct {
	made   int64
	answer []byte
}

var errOtherRequest = stdops.Errorf(stdops.CodeRefused, "the Idempotency-Key was used for another request; a new request needs a new key")

// Once lets a request with a key have one effect, however often it is sent, be it at the same time: each app has keys of
// its own in each project, and so has each user who comes without an app. do carries the request out, with an access that
// stores the key in the transaction of the effect; again answers when there was that effect before. Nothing is kept of a
// refusal, since it has no effect: the next request is judged anew.
func (s *Service) Once(ctx context.Context, a *Access, r Request, do func(*Access) error, again func(*Done) error) error {
	key := &stdops.RequestKey{
		Project: a.project.ID, Owner: a.caller.keyOwner(), Key: r.Key, Request: r.Hash, Expires: s.store.Now().Add(KeyLife),
	}
	done, err := s.done(ctx, key)
	if err != nil {
		return err
	}
	if done != nil {
		return again(done)
	}
	keyed := *a
	keyed.key = key
	refusal := do(&keyed)
	if refusal == nil {
		return nil
	}
	// Another request with this key may have been faster, and this one be refused for what that one did.
	done, err = s.done(ctx, key)
	repeated := errors.Is(refusal, stdops.ErrRepeated)
	switch {
	case done != nil:
		return again(done)
	case repeated && err != nil:
		return err
	case repeated:
		return &stdops.Error{Code: stdops.CodeUnavailable, Message: "the Idempotency-Key has just expired, try again", Err: refusal}
	default:
		return refusal
	}
}

// Parts lets a request with a key carry out several parts, each of which has one effect, however often the request is sent:
// what had none yet is judged anew. do is called for each, several at a time, and gives what became of it; it must not
// panic. The keys of parts are made of that of the request, so that they are its own.
func (s *Service) Parts(ctx context.Context, a *Access, r Request, parts int, do func(a *Access, part int) error) ([]error, error) {
	if r.Key != "" {
		key := &stdops.RequestKey{Project: a.project.ID, Owner: a.caller.keyOwner(), Key: r.Key, Request: r.Hash}
		other, err := s.store.OtherRequest(ctx, key)
		if err != nil {
			return nil, err
		}
		if other {
			return nil, errOtherRequest
		}
	}
	verdicts := make([]error, parts)
	var some errgroup.Group
	some.SetLimit(partsAtOnce)
	for i := range verdicts {
		some.Go(func() error {
			if r.Key == "" {
				verdicts[i] = do(a, i)
				return nil
			}
			part := Request{Key: fmt.Sprintf("%s %d", r.Key, i), Hash: r.Hash}
			verdicts[i] = s.Once(ctx, a, part, func(keyed *Access) error { return do(keyed, i) }, func(*Done) error { return nil })
			return nil
		})
	}
	_ = some.Wait() // what went wrong is in the verdicts
	return verdicts, nil
}

// partsAtOnce is how many parts of a request are carried out at the same time.
const partsAtOnce = 8

// done finds what a request with this key has done, nil when there was none.
func (s *Service) done(ctx context.Context, key *stdops.RequestKey) (*Done, error) {
	found, err := s.store.RequestKey(ctx, key)
	switch {
	case stdops.ErrorCode(err) == stdops.CodeNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case !bytes.Equal(found.Request, key.Request):
		return nil, errOtherRequest
	}
	return &Done{made: found.Made, answer: found.Answer}, nil
}

// keyOwner says whose the keys of a caller are.
func (c *Caller) keyOwner() string {
	if c.App != "" {
		return "app " + c.App
	}
	return "user " + c.User
}

// making gives the key of a request that makes something, with what its answer can be made of again; nil when the request
// has none.
func (a *Access) making(answer []byte) *stdops.RequestKey {
	if a.key == nil {
		return nil
	}
	key := *a.key
	key.Answer = answer
	return &key
}

// Task gives the id of the task that was made.
func (d *Done) Task() stdops.TaskID { return stdops.TaskID(d.made) }

// CreatedTask gives the task that was made, as it was then: later changes of its constants do not show.
func (s *Service) CreatedTask(ctx context.Context, a *Access, d *Done) (*CreatedTask, error) {
	task, err := s.store.Task(ctx, a.ref(d.Task()))
	if err != nil {
		return nil, err
	}
	tree, err := s.tree(ctx, task.TreeHash)
	if err != nil {
		return nil, fmt.Errorf("tree of task %d: %w", task.ID, err)
	}
	values, err := decodeObject(d.answer)
	if err != nil {
		return nil, fmt.Errorf("first values of task %d: %w", task.ID, err)
	}
	return &CreatedTask{
		Task: task, URL: s.TaskURL(task.Project, task.ID), Tree: tree.WithValues(values).Shown().Echo(flow.TaskIDs(task.ID)),
	}, nil
}

// Template gives the flow that was stored.
func (d *Done) Template() (*StoredTemplate, error) {
	made := &StoredTemplate{}
	if err := json.Unmarshal(d.answer, made); err != nil {
		return nil, fmt.Errorf("answer about template %d: %w", d.made, err)
	}
	made.ID = stdops.TemplateID(d.made)
	return made, nil
}
