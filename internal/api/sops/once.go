package sops

import (
	"fmt"
	"net/http"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// keyed completes an endpoint whose requests may have a key: again answers a request whose effect was there already.
func (e endpoint) keyed(again func(*call, *service.Access, *service.Done) error) endpoint {
	e.again = again
	return e
}

// carryOut serves a call, one with a key by way of what is known under that key.
func (c *call) carryOut(r *http.Request) error {
	e := c.route.endpoint
	if e.again == nil {
		return e.serve(c)
	}
	key, err := api.RequestKey(r)
	if err != nil {
		return err
	}
	if key == "" {
		return e.serve(c)
	}
	access, err := c.owner()
	if err != nil {
		return err
	}
	request, err := c.request(key)
	if err != nil {
		return err
	}
	return c.sops.svc.Once(c.ctx, access, request, func(keyed *service.Access) error {
		c.access = keyed
		return e.serve(c)
	}, func(done *service.Done) error {
		if err := access.Require(e.needs); err != nil {
			return err
		}
		return e.again(c, access, done)
	})
}

// request says what the call asks for. Credentials do not count, but for the user: a secret may be replaced between two
// attempts. The order of keys in the body does, since that of conditions means something.
func (c *call) request(key string) (service.Request, error) {
	where := c.route.endpoint.name
	for _, p := range c.route.endpoint.parts {
		where += "/" + c.route.ids[p]
	}
	asked := c.body.Object.Clone()
	for _, name := range api.CredentialKeys() {
		asked.Delete(name)
	}
	body, err := stdops.EncodeValue(asked)
	if err != nil {
		return service.Request{}, fmt.Errorf("hash request: %w", err)
	}
	return api.NewRequest(key, []byte(where), []byte(c.caller.User), body), nil
}

// success is the answer of most commands.
func success(c *call, _ *service.Access, _ *service.Done) error {
	c.out.Data(nil, "success", nil)
	return nil
}

// createdAgain answers with a task that was made.
func createdAgain(c *call, access *service.Access, done *service.Done) error {
	created, err := c.sops.svc.CreatedTask(c.ctx, access, done)
	if err != nil {
		return err
	}
	c.writeCreated(created)
	return nil
}

// storedAgain answers with a flow that was stored.
func storedAgain(c *call, _ *service.Access, done *service.Done) error {
	stored, err := done.Template()
	if err != nil {
		return err
	}
	c.writeStored(stored)
	return nil
}

// startedAgain answers for a task that was started.
func startedAgain(c *call, access *service.Access, _ *service.Done) error {
	id, _, err := c.task()
	if err != nil {
		return err
	}
	c.writeStarted(access, id)
	return nil
}
