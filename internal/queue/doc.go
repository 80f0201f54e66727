// Package queue wakes tasks when their time comes. There are two forms of it. [Local] is the embedded one: a heap in
// memory, rebuilt from the store at every start. [River] is for several processes with one PostgreSQL: jobs that are
// inserted in the transaction that makes a task runnable and taken by any process that drives tasks; and the periodic work
// that one of these processes has to do for all.
//
// What always holds: neither form knows more of a task than its name, and a wake-up is a hint. When a task has to be looked
// at stands in the store, so a wake-up that is lost, late or doubled does no harm: the sweep of the processes that drive finds
// the task a second later, and whoever claims a task finds out whether it is due. It must not import anything of ours but the
// vocabulary.
package queue
