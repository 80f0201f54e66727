package expr

import (
	"slices"
	"strings"
)

// reserved names are those of the template language itself; no expression may use them, even if a variable has that
// name (docs/spec/engine.md 6.4.2).
var reserved = map[string]bool{
	"self": true, "context": true, "local": true, "parent": true, "next": true, "caller": true, "pageargs": true,
	"UNDEFINED": true, "STOP_RENDERING": true,
}

var refusedAttributes = []string{
	"format", "format_map", "os", "sys", "subprocess", "shutil", "ctypes", "socket", "_thread", "threading",
	"builtins", "modules", "system", "fork", "forkpty", "kill",
}

var refusedPrefixes = []string{"_", "popen", "spawn", "execl", "execv"}

// refusedAttribute reports whether a fragment that uses this attribute stays literal, whatever it is an attribute of.
func refusedAttribute(name string) bool {
	if slices.Contains(refusedAttributes, name) {
		return true
	}
	for _, prefix := range refusedPrefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
