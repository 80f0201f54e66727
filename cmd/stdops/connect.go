package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
)

const defaultDataDir = "stdops-data"

// connection says which server is meant, and which project of it.
type connection struct {
	url, token string
	dataDir    string
	dirGiven   bool // by a flag; the environment does not count
	urlGiven   bool // likewise
	projectID  int64
	flags      *pflag.FlagSet
}

func (c *cli) connectionFlags(flags *pflag.FlagSet) {
	c.connection.flags = flags
	flags.StringVar(&c.url, "server", "", "address of the server, such as https://ops.example.com")
	fromEnvAs(flags, "server", "STDOPS_URL")
	flags.StringVar(&c.connection.token, "token", "", "token of a user; better in the environment, where others cannot read it")
	fromEnv(flags, "token")
	flags.StringVar(&c.dataDir, "data-dir", defaultDataDir, "data directory; without a server its socket is used, as administrator")
	fromEnv(flags, "data-dir")
	flags.Int64Var(&c.projectID, "project", 1, "id of the project")
	fromEnv(flags, "project")
	flags.StringVarP(&c.format, "output", "o", "table", "table, json, jsonl or yaml")
	fromEnv(flags, "output")
}

// connect finds the server: the one that is named, the one of a data directory that is named, the one that was logged in
// to, or the one of the default data directory. A data directory of a flag counts more than a server of the environment,
// or what is meant for the one would be done to the other.
func (c *cli) connect() (*client.Client, error) {
	if c.url != "" && (c.urlGiven || !c.dirGiven) {
		return c.dial(client.Options{URL: c.url, Token: c.connection.token})
	}
	if !c.flags.Changed("data-dir") {
		saved, err := c.loadLogin()
		if err != nil {
			return nil, err
		}
		if saved.URL != "" {
			if c.connection.token != "" {
				saved.Token = c.connection.token
			}
			return c.dial(client.Options{URL: saved.URL, Token: saved.Token})
		}
	}
	return c.dial(client.Options{Socket: app.SocketPath(c.dataDir)})
}

func (c *cli) dial(o client.Options) (*client.Client, error) {
	made, err := client.New(o)
	if err != nil {
		return nil, usage("%w", err)
	}
	return made, nil
}

// askOne asks the server for one thing and prints it.
func askOne[T any](c *cli, columns []column[T], ask func(*client.Client) (*T, error)) error {
	to, err := c.connect()
	if err != nil {
		return err
	}
	defer to.Close()
	answer, err := ask(to)
	if err != nil {
		return err
	}
	return showOne(c, answer, columns)
}

// savedLogin is what login leaves for the commands after it.
type savedLogin struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

// loginFile gives where the login is saved.
func (c *cli) loginFile() (string, error) {
	dir := c.env["XDG_CONFIG_HOME"]
	if dir == "" {
		var err error
		if dir, err = os.UserConfigDir(); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "stdops", "login.json"), nil
}

// loadLogin reads the saved login; none is an empty one.
func (c *cli) loadLogin() (savedLogin, error) {
	var saved savedLogin
	file, err := c.loginFile()
	if err != nil {
		return saved, nil // a user without a home has saved nothing
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return saved, nil
	}
	if err != nil {
		return saved, fmt.Errorf("read saved login: %w", err)
	}
	if err := json.Unmarshal(text, &saved); err != nil {
		return saved, fmt.Errorf("%s is damaged (%w); stdops login writes it anew", file, err)
	}
	return saved, nil
}

// saveLogin writes the login where only its user can read it. The file is replaced as a whole: one that others could read
// before would stay readable otherwise.
func (c *cli) saveLogin(saved savedLogin) (string, error) {
	file, err := c.loginFile()
	if err != nil {
		return "", fmt.Errorf("find a place for the login: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", fmt.Errorf("save login: %w", err)
	}
	text, err := json.MarshalIndent(saved, "", "  ")
	if err != nil {
		return "", fmt.Errorf("save login: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), "login-*") // 0600
	if err != nil {
		return "", fmt.Errorf("save login: %w", err)
	}
	_, err = temporary.Write(append(text, '\n'))
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("save login: %w", err), os.Remove(temporary.Name()))
	}
	return file, nil
}
