package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// cli is one run of the program.
type cli struct {
	program string // as it was called, to be shown in commands to paste
	in      io.Reader
	out     io.Writer
	err     io.Writer
	env     map[string]string

	connection
	format string // of what is printed
}

// run carries out a command line, program name first, and gives the exit code.
func run(args []string, in io.Reader, out, errs io.Writer, env []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal ends the program at once
	c := &cli{program: programName(args[0]), in: in, out: out, err: errs, env: environment(env)}
	root := c.root()
	root.SetArgs(args[1:])
	return c.exitCode(ctx, root.ExecuteContext(ctx))
}

// programName gives what to paste to call the program again.
func programName(called string) string {
	if strings.ContainsRune(called, filepath.Separator) {
		return quote(called)
	}
	return "stdops"
}

func environment(list []string) map[string]string {
	env := make(map[string]string, len(list))
	for _, entry := range list {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	return env
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "stdops",
		Short: "Runs operations tasks and tells how many of them stand",
		Long: "stdops runs tasks made of pipeline trees and tells, for many of them at once, how they stand.\n" +
			"Settings count in this order: flag, environment, saved login, default.",
		Example: "  stdops serve                                   a server on ./stdops-data\n" +
			"  stdops task create -f tree.json --name night --start\n" +
			"  stdops task status 1 2 3",
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return c.settings(cmd) },
		Args:              cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2,
		RunE: noSubcommand,
	}
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageOf(cmd, err) })
	root.SetHelpTemplate(root.HelpTemplate() + exitHelp)
	c.connectionFlags(root.PersistentFlags())
	root.AddCommand(c.serve(), c.demo(), c.task(), c.flow(), c.plugin(), c.login(), c.logout(), c.app(), c.user(), c.token(), c.project(),
		c.limits(), c.bench(), c.verify(), c.backup(), c.migrate(), c.database(), c.drain(), c.doctor(), c.version())
	return root
}

// group makes a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short, SuggestionsMinimumDistance: 2, RunE: noSubcommand}
	g.AddCommand(commands...)
	return g
}

// noSubcommand shows the help of a command that only holds others, and refuses words that are none of them.
func noSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	err := fmt.Errorf("unknown command %q", args[0])
	if meant := cmd.SuggestionsFor(args[0]); len(meant) > 0 {
		err = fmt.Errorf("%w; is it %s?", err, strings.Join(meant, " or "))
	}
	return usageOf(cmd, err)
}

// exactly and atLeast are the counts of arguments that a command takes, refused as wrong usage.
func exactly(n int) cobra.PositionalArgs { return usageArgs(cobra.ExactArgs(n)) }
func atLeast(n int) cobra.PositionalArgs { return usageArgs(cobra.MinimumNArgs(n)) }

func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if check(cmd, args) == nil {
			return nil
		}
		given := "there are no arguments"
		switch n := len(args); {
		case n == 1:
			given = "there is 1 argument"
		case n > 1:
			given = fmt.Sprintf("there are %d arguments", n)
		}
		return usageOf(cmd, fmt.Errorf("%s, but it is: %s", given, cmd.UseLine()))
	}
}

// envKey marks flags that the environment can set, with the name of the variable.
const envKey = "stdops_env"

// fromEnv lets the environment set a flag: STDOPS_ and its name.
func fromEnv(flags *pflag.FlagSet, name string) {
	fromEnvAs(flags, name, "STDOPS_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_")))
}

func fromEnvAs(flags *pflag.FlagSet, name, variable string) {
	f := flags.Lookup(name)
	f.Usage += " ($" + variable + ")"
	f.Annotations = map[string][]string{envKey: {variable}}
}

// settings reads from the environment what no flag has set, and checks what all commands share.
func (c *cli) settings(cmd *cobra.Command) error {
	var errs []error
	c.dirGiven, c.urlGiven = c.flags.Changed("data-dir"), c.flags.Changed("server")
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		names := f.Annotations[envKey]
		if f.Changed || len(names) == 0 || c.env[names[0]] == "" {
			return
		}
		if err := cmd.Flags().Set(f.Name, c.env[names[0]]); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", names[0], err))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return usageOf(cmd, err)
	}
	if !formats[c.format] {
		return usageOf(cmd, fmt.Errorf("output %q is none of table, json, jsonl and yaml", c.format))
	}
	return nil
}
