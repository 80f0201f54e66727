package service

import (
	"context"
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
)

// SkipBranches skips a failed gateway along branches, each named by its flow or by the node that it leads to: one branch
// of an exclusive gateway, one or more of a conditional parallel one.
func (s *Service) SkipBranches(ctx context.Context, a *Access, id stdops.TaskID, node string, branches []string) error {
	at, err := s.nodeToOperate(ctx, a, id, node)
	if err != nil {
		return err
	}
	cmd := engine.Command{Kind: engine.SkipBranches, Node: at.index}
	switch at.node.Kind {
	case stdops.KindConditionalParallel:
	case stdops.KindExclusive:
		cmd.Kind = engine.SkipBranch
	default:
		return engineRefusal("%s has no branches to choose from, it is a %s", node, at.node.Kind)
	}
	for _, name := range branches {
		flow, err := at.branchNamed(name)
		if err != nil {
			return err
		}
		cmd.Flows = append(cmd.Flows, flow)
	}
	return s.engine.Do(ctx, a.ref(id), a.command(cmd))
}

// branchNamed finds the branch that a flow, or the node at its end, stands for.
func (at *place) branchNamed(name string) (stdops.FlowIndex, error) {
	var found []stdops.FlowIndex
	var ids []string
	for _, b := range at.branches() {
		id := stdops.FlowID(at.task.ID, b.Flow)
		if id == name {
			return b.Flow, nil
		}
		if b.Name == name || stdops.NodeID(at.task.ID, b.To) == name {
			found, ids = append(found, b.Flow), append(ids, id)
		}
	}
	switch len(found) {
	case 0:
		return 0, stdops.Errorf(stdops.CodeInvalid, "no branch of the gateway leads to %.128q", name)
	case 1:
		return found[0], nil
	default:
		return 0, stdops.Errorf(stdops.CodeInvalid, "%d branches lead to %.128q; name one by its flow: %s",
			len(found), name, strings.Join(ids[:min(len(ids), namesakes)], ", "))
	}
}
