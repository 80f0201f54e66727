package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version of this program", Args: exactly(0),
		RunE: func(*cobra.Command, []string) error {
			v := built()
			return showOne(c, &v, []column[client.Version]{
				{"VERSION", func(v *client.Version) string { return v.Version }},
				{"COMMIT", func(v *client.Version) string { return v.Commit }},
				{"GO", func(v *client.Version) string { return v.Go }},
			})
		},
	}
}

// built says what this program was built of, as the compiler noted it.
func built() client.Version {
	v := client.Version{Version: "dev", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Commit = s.Value
		}
	}
	return v
}
