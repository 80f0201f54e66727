package conformance

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// loadLater reads the list of cases that a later release brings: a case name and why, one a line; "#" begins a comment.
func loadLater(file string) (map[string]string, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	later := map[string]string{}
	lines := bufio.NewScanner(in)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, why, _ := strings.Cut(line, " ")
		if why = strings.TrimSpace(why); why == "" {
			return nil, fmt.Errorf("%s:%d: %s has no reason", file, number, name)
		}
		if later[name] != "" {
			return nil, fmt.Errorf("%s:%d: %s stands here twice", file, number, name)
		}
		later[name] = why
	}
	return later, lines.Err()
}
