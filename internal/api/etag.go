package api

import "strings"

// HoldsETag reports whether a caller says, by the values of its If-None-Match headers, that it holds the form of a thing that
// tag names, as weak as the comparison may be (RFC 9110, 13.1.2).
func HoldsETag(values []string, tag string) bool {
	for _, value := range values {
		for held := range strings.SplitSeq(value, ",") {
			if held = strings.TrimSpace(held); held == "*" || strings.TrimPrefix(held, "W/") == tag {
				return true
			}
		}
	}
	return false
}
