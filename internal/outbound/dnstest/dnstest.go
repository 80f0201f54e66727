// Package dnstest resolves names for tests, without a network: each name has a list of answers, given one after the other,
// as the server of an attacker gives them. It imports none of ours.
package dnstest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// Names tells for each name, without the dot at its end, the addresses of the first answer, of the second and so on; the
// last one is given again and again. A name that is not there does not exist.
type Names map[string][][]netip.Addr

// Server answers questions about names.
type Server struct {
	mu    sync.Mutex
	names Names
	asked map[string]int
}

// New makes a server.
func New(names Names) *Server { return &Server{names: names, asked: make(map[string]int)} }

// Resolver gives a resolver that asks the server and nobody else.
func (s *Server) Resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go s.serve(ours)
		return theirs, nil
	}}
}

// Asked gives how often the address of a name was asked for; questions for both kinds of address count as one.
func (s *Server) Asked(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[name]
}

// serve answers the questions of one connection, each with its length before it as over TCP.
func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		text := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, text); err != nil {
			return
		}
		answer, err := s.answer(text)
		if err != nil {
			return
		}
		binary.BigEndian.PutUint16(size[:], uint16(len(answer))) //nolint:gosec // some addresses are less than 64 KiB
		if _, err := conn.Write(append(size[:], answer...)); err != nil {
			return
		}
	}
}

func (s *Server) answer(text []byte) ([]byte, error) {
	var question dnsmessage.Message
	if err := question.Unpack(text); err != nil {
		return nil, err
	}
	q := question.Questions[0]
	name := q.Name.String()
	addrs, known := s.next(name[:len(name)-1], q.Type == dnsmessage.TypeA)
	answer := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: question.ID, Response: true, RecursionAvailable: true},
		Questions: question.Questions,
	}
	if !known {
		answer.RCode = dnsmessage.RCodeNameError
	}
	for _, addr := range addrs {
		header := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET}
		switch {
		case addr.Is4() && q.Type == dnsmessage.TypeA:
			answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}})
		case addr.Is6() && q.Type == dnsmessage.TypeAAAA:
			answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
		}
	}
	return answer.Pack()
}

// next gives the answer that is due for a name. Only the question for IPv4 addresses moves on to the next one; that for
// IPv6 addresses comes at the same time, before it or after it.
func (s *Server) next(name string, moves bool) ([]netip.Addr, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, known := s.names[name]
	if !known || len(list) == 0 {
		return nil, known
	}
	if !moves {
		return list[min(s.asked[name], len(list)-1)], true
	}
	i := s.asked[name]
	s.asked[name]++
	return list[min(i, len(list)-1)], true
}
