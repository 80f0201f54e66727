package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/stdops/stdops/client"
)

func (c *cli) login() *cobra.Command {
	return &cobra.Command{
		Use:   "login URL",
		Short: "Remember a server and a token for the commands after this",
		Long: "Remember a server and a token for the commands after this. The token is asked for, unless --token or\n" +
			"STDOPS_TOKEN gives it; stdops token create makes one. It is kept in a file that only you can read.",
		Example: "  stdops login https://ops.example.com",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			saved := savedLogin{URL: strings.TrimRight(args[0], "/"), Token: c.connection.token}
			if _, err := client.New(client.Options{URL: saved.URL}); err != nil {
				return usageOf(cmd, err)
			}
			if saved.Token == "" {
				if saved.Token, err = c.askToken(saved.URL); err != nil {
					return err
				}
			}
			to, err := c.dial(client.Options{URL: saved.URL, Token: saved.Token})
			if err != nil {
				return err
			}
			defer to.Close()
			me, err := to.Me(cmd.Context())
			if err != nil {
				return err
			}
			file, err := c.saveLogin(saved)
			if err != nil {
				return err
			}
			c.warn("logged in to %s as %s; kept in %s\n", saved.URL, printable(me.User, false), file)
			return nil
		},
	}
}

func (c *cli) logout() *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "Forget the server and the token of the last login", Args: exactly(0),
		RunE: func(*cobra.Command, []string) error {
			file, err := c.loginFile()
			if err != nil {
				return err
			}
			if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("forget login: %w", err)
			}
			return nil
		},
	}
}

// askToken reads a token: from a terminal without showing it, else the first line of the input.
func (c *cli) askToken(url string) (string, error) {
	var text string
	var err error
	if f, ok := c.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		c.warn("Token for %s: ", url)
		var secret []byte
		secret, err = term.ReadPassword(int(f.Fd()))
		c.warn("\n")
		text = string(secret)
	} else {
		text, err = bufio.NewReader(c.in).ReadString('\n')
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return "", usage("no token was given")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read token: %w", err)
	}
	return text, nil
}
