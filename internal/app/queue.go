package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stdops/stdops/internal/queue"
)

// queueFigures tells what this process does with the queue that it shares with others, and what lies there.
type queueFigures struct{ queue *queue.River }

var (
	queueFetches = prometheus.NewDesc("stdops_queue_fetches_total", "Fetches of jobs that were a success: one a second at least while all is well.", nil, nil)
	queueClaims  = prometheus.NewDesc("stdops_queue_claims_total", "Claims of tasks that this process was told to wake.", nil, nil)
	queueWakes   = prometheus.NewDesc("stdops_queue_wakes_total", "Jobs that were handed to these claims.", nil, nil)
	queueWorks   = prometheus.NewDesc("stdops_periodic_work_total", "Periodic work that this process has done for all.", []string{"work", "outcome"}, nil)
	queueJobs    = prometheus.NewDesc("stdops_queue_jobs", "Jobs in the queue, counted up to 10000 of a state.", []string{"state", "kind"}, nil)
	queueOldest  = prometheus.NewDesc("stdops_queue_oldest_job_seconds", "How long the oldest job has waited that could be taken.", nil, nil)
	queueLeader  = prometheus.NewDesc("stdops_queue_leader", "1 if this process is the leader of the queue, else 0.", nil, nil)
)

// Describe names the figures.
func (queueFigures) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{queueFetches, queueClaims, queueWakes, queueWorks, queueJobs, queueOldest, queueLeader} {
		to <- d
	}
}

// backlogTime bounds how long whoever reads the figures waits for the database.
const backlogTime = 2 * time.Second

// Collect reads them. What lies in the queue is left out when the database does not answer: the others are wanted then.
func (f queueFigures) Collect(to chan<- prometheus.Metric) {
	own := f.queue.Figures()
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	count(queueFetches, own.Fetches)
	count(queueClaims, own.Claims)
	count(queueWakes, own.Claimed)
	for _, w := range own.Periodic {
		count(queueWorks, w.Done, w.Name, "done")
		count(queueWorks, w.Failed, w.Name, "failed")
	}
	ctx, cancel := context.WithTimeout(context.Background(), backlogTime) // a collector is given none
	defer cancel()
	backlog, err := f.queue.Backlog(ctx)
	if err != nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, n := range backlog.Jobs {
		gauge(queueJobs, float64(n.Jobs), n.State, n.Kind)
	}
	gauge(queueOldest, backlog.Oldest.Seconds())
	leader := 0.0
	if backlog.Leader {
		leader = 1
	}
	gauge(queueLeader, leader)
}
