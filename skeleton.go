package stdops

// Skeleton is what a status needs of a tree: one entry per node, in index order, the root first.
// It is immutable and shared by all tasks of the same tree.
type Skeleton struct {
	Nodes []SkeletonNode
}

// SkeletonNode is one node of a [Skeleton].
type SkeletonNode struct {
	Kind   NodeKind
	Parent NodeIndex // the enclosing pipeline; the root's is itself
	Name   string    // as in the tree, "" where it has none (the root's name is the task's)
	Plugin string    // code of an activity's plugin, "" for every other kind
	Source string    // id of the node in the template that it came from
}
