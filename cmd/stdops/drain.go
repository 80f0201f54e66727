package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
)

func (c *cli) drain() *cobra.Command {
	return &cobra.Command{
		Use:   "drain",
		Short: "Let the server of a data directory end what is out, and stop",
		Long: "Let the server of a data directory stop, as SIGTERM does, and wait until it is gone. It begins nothing new: /readyz\n" +
			"answers 503, and so do commands. Calls that are out, such as scripts, may end within 25 seconds and are cut off\n" +
			"then; after 30 it is over. What a call that was cut off has done is found out at the next start, by the rule of its\n" +
			"plugin. Tasks that are under way go on then.",
		Example: "  stdops drain --data-dir /var/lib/stdops",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			to, err := c.dial(client.Options{Socket: app.SocketPath(c.dataDir)})
			if err != nil {
				return err
			}
			defer to.Close()
			left, err := to.Drain(cmd.Context())
			if err != nil {
				return err
			}
			return showOne(c, left, []column[client.Drained]{
				{"CALLS CUT OFF", func(d *client.Drained) string { return strconv.Itoa(d.CallsCutOff) }},
				{"TASKS FOR THE NEXT START", func(d *client.Drained) string { return strconv.Itoa(d.LiveTasks) }},
			})
		},
	}
}
