package store

import (
	"sync"

	"github.com/stdops/stdops"
)

// mostKnownProjects bounds [knownProjects]; beyond it all are forgotten.
const mostKnownProjects = 10_000

// knownProjects remembers projects that were looked up, since every request names one, until any project changes. As with
// [revisions], a writer makes them forgotten before it commits, and what was read before the commit has ended is not
// remembered.
type knownProjects struct {
	mu      sync.RWMutex
	byBiz   map[int64]Project
	byID    map[stdops.ProjectID]Project
	changes int64 // commits that changed projects so far
	writing bool  // one is on its way
	shared  bool  // others change projects as well: nothing is remembered
}

func newKnownProjects() *knownProjects {
	return &knownProjects{byBiz: map[int64]Project{}, byID: map[stdops.ProjectID]Project{}}
}

func (k *knownProjects) bound(biz int64) (p Project, ok bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	p, ok = k.byBiz[biz]
	return p, ok
}

func (k *knownProjects) numbered(id stdops.ProjectID) (p Project, ok bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	p, ok = k.byID[id]
	return p, ok
}

// expect is asked before a project is read; what it gives goes to remember.
func (k *knownProjects) expect() (changes int64) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.writing || k.shared {
		return -1
	}
	return k.changes
}

// remember keeps a project that was read, unless any has changed since expect.
func (k *knownProjects) remember(p Project, expected int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.changes != expected {
		return
	}
	if max(len(k.byID), len(k.byBiz)) >= mostKnownProjects {
		clear(k.byID)
		clear(k.byBiz)
	}
	k.byID[p.ID] = p
	if p.Biz != NoBiz {
		k.byBiz[p.Biz] = p
	}
}

// begin is told before a commit that changes a project, end after it.
func (k *knownProjects) begin() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.byID)
	clear(k.byBiz)
	k.changes++
	k.writing = true
}

func (k *knownProjects) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.writing = false
}
