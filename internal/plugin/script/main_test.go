package script

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if IsShim(os.Args) {
		os.Exit(Shim())
	}
	if os.Getenv(serverVariable) != "" {
		serveScript()
	}
	goleak.VerifyTestMain(m)
}
