package api

import (
	"net"
	"net/http"
)

// Listener gives the connections of l, on which a request whose body two programs could see end in different places is
// answered with 400 and ends the connection: behind a proxy such a request would smuggle another one in.
func Listener(l net.Listener) net.Listener { return &listener{l} }

type listener struct{ net.Listener }

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, framing: newFraming()}, nil
}

// conn follows what net/http reads. net/http never reads twice at a time, so nothing needs a lock.
type conn struct {
	net.Conn
	framing *framing
	refused bool
	ended   bool
}

// Read reads, up to the line that is refused. Since net/http reads one byte ahead while it serves an earlier request,
// and would cut that off at an error, one byte more comes first: it completes nothing.
func (c *conn) Read(p []byte) (int, error) {
	switch {
	case len(p) == 0 || !c.refused:
	case c.ended:
		return 0, errFraming
	default:
		c.ended, p[0] = true, '\r'
		return 1, nil
	}
	n, err := c.Conn.Read(p)
	passed, ok := c.framing.follow(p[:n])
	if ok {
		return n, err
	}
	c.refused = true
	if passed == 0 {
		return c.Read(p)
	}
	return passed, nil
}

// CloseWrite ends the sending half, which net/http does before it closes so that the last answer arrives.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// LastIfChunked ends the connection behind a chunked request, as [Listener] relies on. It must see every request:
// http.Server.DisableGeneralOptionsHandler belongs to it.
func LastIfChunked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
