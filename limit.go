package stdops

// Limit is something that bounds a request or a task; `stdops limits` prints them all.
type Limit struct {
	Name  string
	Value int64
	Unit  string
	About string
}
