package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/stdops/stdops/client"
)

// drain is the wish that a server ends, told through its socket. It is fulfilled as a signal is: [App.Wait] returns, and
// whoever waited stops the server. Who asked is answered when all of it has stopped; a connection that is closed without an
// answer tells that the server was killed meanwhile.
type drain struct {
	asked chan struct{} // closed by whoever asks first

	mu      sync.Mutex
	callers []net.Conn
	left    client.Drained
	over    bool // who asks now is too late
}

func newDrain() *drain { return &drain{asked: make(chan struct{})} }

// ServeHTTP takes the connection away from the server, which would close it before there is an answer.
func (d *drain) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "the connection can not be kept", http.StatusInternalServerError)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		_ = conn.Close()
		return
	}
	if len(d.callers) == 0 {
		close(d.asked)
	}
	d.callers = append(d.callers, conn)
}

// tell notes what is left.
func (d *drain) tell(left client.Drained) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = left
}

// answer is the last thing that a server does.
func (d *drain) answer(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	text, err := json.Marshal(d.left)
	for _, conn := range d.callers {
		_ = conn.SetDeadline(time.Now().Add(time.Second)) // who does not read is not waited for
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n%s\n", text)
		err = errors.Join(err, conn.Close())
	}
	return err
}
