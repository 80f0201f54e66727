package app_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// shape is a flow of one kind. What is to be done with a node on the way is told by its name
// (guide).
type shape struct {
	name  string
	flow  piece
	loops map[string]int // how often each activity is entered, retries apart; one that is missing is entered once
}

// shapes are the twelve kinds of flows that crash tests use.
var shapes = []shape{
	{name: "serial", flow: chain(act("a", "effect"), act("b", "effect_once"), act("c", "effect"))},
	{name: "parallel", flow: chain(parallel(act("left", "effect"), chain(act("right", "effect"), act("further", "effect_ask"))), act("last", "effect"))},
	{name: "conditional parallel", flow: chain(
		some([]string{"1 == 1", "2 > 1", "1 == 2"}, act("one", "effect"), act("two", "effect_once"), act("never", "effect")), act("last", "effect")), loops: map[string]int{"never": 0}},
	{name: "exclusive", flow: chain(one([]string{"1 == 2", "1 == 1"}, act("never", "effect"), act("taken", "effect")), act("last", "effect")), loops: map[string]int{"never": 0}},
	{name: "loop", flow: chain(loop(3, "again", "effect"), act("last", "effect")), loops: map[string]int{"again": 3}},
	{name: "subprocess", flow: chain(act("before", "effect"), sub("inner", act("first", "effect"), act("second", "effect_once")), act("last", "effect"))},
	{name: "nested subprocess", flow: sub("outer", act("before", "effect"),
		sub("inner", parallel(act("left", "effect"), act("right", "effect")), act("deep", "effect")), act("last", "effect"))},
	{name: "poll", flow: chain(act("polled", "effect_poll"), act("last", "effect"))},
	{name: "callback", flow: chain(act("called", "effect_wait"), act("last", "effect"))},
	{name: "multi callback", flow: chain(act("called", "effect_many"), act("last", "effect"))},
	{name: "timer", flow: chain(parallel(act("timer", "sleep_timer", "bk_timing", "1"), act("other", "effect")), act("last", "effect"))},
	{
		name: "retry and skip",
		flow: chain(parallel(act("retried", "effect", "bit", "0"), act("skipped", "effect", "bit", "0"), act("forced", "effect_wait")),
			autoRetry(act("tried", "effect", "bit", "0")), act("last", "effect")),
	},
}

// leavesTraces names the activities of the shapes whose plugin leaves a trace.
var leavesTraces = func() map[string]bool {
	all := make(map[string]bool)
	for i := range shapes {
		for _, name := range names(shapes[i].flow.tree()) {
			all[name] = name != "timer" && name != "inner" && name != "outer"
		}
	}
	return all
}()

// piece adds a part of a flow after the open flows from, and gives those that are open after it.
type piece func(w *wire, from []string) []string

// wire makes a tree as callers send it.
type wire struct {
	counter                                *int
	activities, gateways, flows, constants map[string]map[string]any
}

func chain(parts ...piece) piece {
	return func(w *wire, from []string) []string {
		for _, p := range parts {
			from = p(w, from)
		}
		return from
	}
}

func act(name, code string, inputs ...string) piece {
	return func(w *wire, from []string) []string {
		_, out := w.activity(from, name, code, inputs...)
		return out
	}
}

// autoRetry lets the activity of p retry twice by itself, at once.
func autoRetry(p piece) piece {
	return func(w *wire, from []string) []string {
		out := p(w, from)
		w.activities[w.source(out[0])]["auto_retry"] = map[string]any{"enable": true, "times": 1, "interval": 0}
		return out
	}
}

func parallel(branches ...piece) piece {
	return func(w *wire, from []string) []string { return w.block(from, "ParallelGateway", nil, branches) }
}

func some(conditions []string, branches ...piece) piece {
	return func(w *wire, from []string) []string {
		return w.block(from, "ConditionalParallelGateway", conditions, branches)
	}
}

func one(conditions []string, branches ...piece) piece {
	return func(w *wire, from []string) []string { return w.block(from, "ExclusiveGateway", conditions, branches) }
}

// loop runs an activity so many times.
func loop(times int, name, code string) piece {
	return func(w *wire, from []string) []string {
		id, out := w.activity(from, name, code)
		gateway := w.id("node")
		w.gateways[gateway] = map[string]any{"id": gateway, "type": "ExclusiveGateway", "name": ""}
		w.lead(out, gateway)
		back, on := w.open(gateway), w.open(gateway)
		w.lead([]string{back}, id)
		w.gateways[gateway]["conditions"] = map[string]any{
			back: map[string]any{"evaluate": fmt.Sprintf("${n} < %d", times)},
			on:   map[string]any{"evaluate": fmt.Sprintf("${n} >= %d", times)},
		}
		w.constants["${n}"] = map[string]any{
			"key": "${n}", "name": "n", "index": 1, "value": "", "desc": "", "source_type": "component_outputs",
			"source_info": map[string]any{id: []string{"_loop"}}, "source_tag": "", "custom_type": "", "show_type": "hide", "validation": "",
		}
		return []string{on}
	}
}

func sub(name string, parts ...piece) piece {
	return func(w *wire, from []string) []string {
		id := w.id("node")
		w.activities[id] = map[string]any{
			"id": id, "type": "SubProcess", "name": name, "optional": true, "stage_name": "", "pipeline": w.inner(chain(parts...)),
		}
		w.lead(from, id)
		return []string{w.open(id)}
	}
}

// names lists the activities and subprocesses of a tree, at all levels.
func names(tree map[string]any) (list []string) {
	for _, a := range tree["activities"].(map[string]map[string]any) {
		list = append(list, a["name"].(string))
		if inner, ok := a["pipeline"].(map[string]any); ok {
			list = append(list, names(inner)...)
		}
	}
	return list
}

// tree gives the flow as callers send it.
func (p piece) tree() map[string]any {
	counter := 0
	return (&wire{counter: &counter}).inner(p)
}

// inner makes the pipeline of p.
func (w *wire) inner(p piece) map[string]any {
	in := &wire{
		counter: w.counter, activities: map[string]map[string]any{}, gateways: map[string]map[string]any{},
		flows: map[string]map[string]any{}, constants: map[string]map[string]any{},
	}
	start, end := in.id("node"), in.id("node")
	in.lead(p(in, []string{in.open(start)}), end)
	events := map[string]map[string]any{
		start: {"id": start, "type": "EmptyStartEvent", "name": "start"}, end: {"id": end, "type": "EmptyEndEvent", "name": "end"},
	}
	for _, id := range slices.Sorted(maps.Keys(in.flows)) {
		source, target := in.node(events, in.flows[id]["source"].(string)), in.node(events, in.flows[id]["target"].(string))
		incoming, _ := target["incoming"].([]string)
		target["incoming"] = append(incoming, id)
		if kind := source["type"].(string); !strings.HasSuffix(kind, "Gateway") || kind == "ConvergeGateway" {
			source["outgoing"] = id
			continue
		}
		outgoing, _ := source["outgoing"].([]string)
		source["outgoing"] = append(outgoing, id)
	}
	events[start]["incoming"], events[end]["outgoing"] = "", ""
	return map[string]any{
		"start_event": events[start], "end_event": events[end], "activities": in.activities, "gateways": in.gateways,
		"flows": in.flows, "constants": in.constants, "outputs": []string{},
	}
}

func (w *wire) node(events map[string]map[string]any, id string) map[string]any {
	for _, nodes := range []map[string]map[string]any{w.activities, w.gateways, events} {
		if nodes[id] != nil {
			return nodes[id]
		}
	}
	panic("no node " + id)
}

func (w *wire) id(kind string) string {
	*w.counter++
	return fmt.Sprintf("%s%028d", kind, *w.counter)
}

// open makes a flow out of a node that leads nowhere yet.
func (w *wire) open(source string) string {
	id := w.id("line")
	w.flows[id] = map[string]any{"id": id, "source": source, "target": ""}
	return id
}

func (w *wire) lead(from []string, target string) {
	for _, id := range from {
		w.flows[id]["target"] = target
	}
}

func (w *wire) source(flow string) string { return w.flows[flow]["source"].(string) }

func (w *wire) activity(from []string, name, code string, inputs ...string) (id string, out []string) {
	id = w.id("node")
	data := map[string]any{}
	for pair := range slices.Chunk(inputs, 2) {
		data[pair[0]] = map[string]any{"hook": false, "value": pair[1]}
	}
	w.activities[id] = map[string]any{
		"id": id, "type": "ServiceActivity", "name": name, "optional": true, "stage_name": "",
		"component": map[string]any{"code": code, "data": data},
	}
	w.lead(from, id)
	return id, []string{w.open(id)}
}

// block adds a branching gateway, its branches and the gateway where they meet.
func (w *wire) block(from []string, kind string, conditions []string, branches []piece) []string {
	gateway, converge := w.id("node"), w.id("node")
	w.gateways[gateway] = map[string]any{"id": gateway, "type": kind, "name": ""}
	w.gateways[converge] = map[string]any{"id": converge, "type": "ConvergeGateway", "name": ""}
	w.lead(from, gateway)
	given := map[string]any{}
	for i, branch := range branches {
		flow := w.open(gateway)
		if conditions != nil {
			given[flow] = map[string]any{"evaluate": conditions[i]}
		}
		w.lead(branch(w, []string{flow}), converge)
	}
	if conditions != nil {
		w.gateways[gateway]["conditions"] = given
	}
	return []string{w.open(converge)}
}
