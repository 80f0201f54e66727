package stdops

import "strconv"

// TaskID identifies a task: a positive number within 53 bits, ascending in time.
type TaskID int64

// ProjectID identifies a project inside stdops. It is never the business id of a CMDB.
type ProjectID int64

// TemplateID identifies a stored flow.
type TemplateID int64

// NodeIndex is the place of a node in its tree, subprocess levels included; the root pipeline is 0.
// Trees, skeletons and graphs know nodes by index only, so that all tasks of one tree share them.
type NodeIndex int32

// FlowIndex is the place of a flow (an edge) in its tree, counted over all levels from 0.
type FlowIndex int32

// RootNode is the index of the root pipeline.
const RootNode NodeIndex = 0

// Version identifies one attempt of a node: "v" and 32 hex digits, "" for a node that has not run.
// Every result and callback carries the version that it belongs to; one for an older version is refused.
type Version string

// On the wire an id is one letter and 31 hex digits (the form that callers of bk-sops store in columns of 33
// characters): 15 digits for the owner, 16 for the index. The numbers stand in it openly, so that an id of a log line
// can be read by eye and no table is needed to find its task.
const (
	nodeLetter     = 'n'
	flowLetter     = 'l'
	wireIDLength   = 32
	ownerDigits    = 15
	templateMarker = 1 << 59 // owner bit that keeps ids of templates apart from ids of tasks
)

// NodeID gives the wire id of a node of task.
func NodeID(task TaskID, node NodeIndex) string {
	return wireID(nodeLetter, int64(task), int64(node))
}

// AppendNodeID appends the wire id of a node of task.
func AppendNodeID(b []byte, task TaskID, node NodeIndex) []byte {
	return appendWireID(b, nodeLetter, int64(task), int64(node))
}

// FlowID gives the wire id of a flow of task.
func FlowID(task TaskID, flow FlowIndex) string {
	return wireID(flowLetter, int64(task), int64(flow))
}

// PipelineID gives the wire id of a stored flow ("pipeline_template_id").
func PipelineID(template TemplateID) string {
	return wireID(nodeLetter, int64(template)|templateMarker, 0)
}

// TemplateNodeID gives the wire id of a node of a stored flow that came with foreign ids.
func TemplateNodeID(template TemplateID, node NodeIndex) string {
	return wireID(nodeLetter, int64(template)|templateMarker, int64(node))
}

// TemplateFlowID gives the wire id of a flow (an edge) of such a stored flow.
func TemplateFlowID(template TemplateID, flow FlowIndex) string {
	return wireID(flowLetter, int64(template)|templateMarker, int64(flow))
}

// ParseNodeID gives task and index of a wire id; ok is false for any other text.
func ParseNodeID(id string) (task TaskID, node NodeIndex, ok bool) {
	owner, index, ok := parseWireID(nodeLetter, id)
	if !ok || owner&templateMarker != 0 {
		return 0, 0, false
	}
	return TaskID(owner), NodeIndex(index), true
}

// ParseFlowID gives task and index of the wire id of a flow; ok is false for any other text.
func ParseFlowID(id string) (task TaskID, flow FlowIndex, ok bool) {
	owner, index, ok := parseWireID(flowLetter, id)
	return TaskID(owner), FlowIndex(index), ok
}

func wireID(letter byte, owner, index int64) string {
	return string(appendWireID(make([]byte, 0, wireIDLength), letter, owner, index))
}

func appendWireID(b []byte, letter byte, owner, index int64) []byte {
	b = append(b, letter)
	for shift := (ownerDigits - 1) * 4; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[owner>>shift&15])
	}
	for shift := (wireIDLength - 2 - ownerDigits) * 4; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[index>>shift&15])
	}
	return b
}

func parseWireID(letter byte, id string) (owner, index int64, ok bool) {
	if len(id) != wireIDLength || id[0] != letter {
		return 0, 0, false
	}
	owner, err := strconv.ParseInt(id[1:1+ownerDigits], 16, 64)
	if err != nil {
		return 0, 0, false
	}
	index, err = strconv.ParseInt(id[1+ownerDigits:], 16, 32)
	if err != nil || wireID(letter, owner, index) != id {
		return 0, 0, false
	}
	return owner, index, true
}
