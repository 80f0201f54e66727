package stdops_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

func TestNodeIDCanBeReadBack(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[nl][0-9a-f]{31}$`)
	rapid.Check(t, func(t *rapid.T) {
		task := stdops.TaskID(rapid.Int64Range(1, 1<<53-1).Draw(t, "task"))
		node := stdops.NodeIndex(rapid.Int32Range(0, 1<<31-1).Draw(t, "node"))
		id := stdops.NodeID(task, node)
		if gotTask, gotNode, ok := stdops.ParseNodeID(id); !form.MatchString(id) || !ok || gotTask != task || gotNode != node {
			t.Fatalf("%s reads as task %d, node %d, %t; want task %d, node %d", id, gotTask, gotNode, ok, task, node)
		}
		flow := stdops.FlowID(task, stdops.FlowIndex(node))
		if gotTask, gotFlow, ok := stdops.ParseFlowID(flow); !form.MatchString(flow) || !ok || gotTask != task || gotFlow != stdops.FlowIndex(node) {
			t.Fatalf("%s reads as task %d, flow %d, %t", flow, gotTask, gotFlow, ok)
		}
	})
}

func TestParseNodeIDRefusesOtherTexts(t *testing.T) {
	t.Parallel()
	good := stdops.NodeID(7, 3)
	for _, id := range []string{
		"", "n", good[1:], good + "0", "l" + good[1:], strings.ToUpper(good), "n" + strings.Repeat("f", 31), "n-" + good[2:],
		"n" + strings.Repeat("z", 31), good[:16] + "+" + good[17:], stdops.PipelineID(7), stdops.TemplateNodeID(7, 3),
	} {
		if task, node, ok := stdops.ParseNodeID(id); ok {
			t.Errorf("%q reads as task %d, node %d", id, task, node)
		}
	}
}
