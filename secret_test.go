package stdops_test

import (
	"testing"

	"github.com/stdops/stdops"
)

func TestSecrets(t *testing.T) {
	t.Parallel()
	struct1 := stdops.NewObject("type", "password_value", "value", "rsa_str:::abc")
	secrets := stdops.SecretsOf("s3cret", "s3cret-longer", "abc", "", nil, "${other}", struct1, "s3cret")
	in := stdops.NewObject("a", "s3cret", "b", []any{"x s3cret-longer y s3cret", "abc", "abcd", int64(1)}, "c", struct1, "d", nil)
	text, err := stdops.EncodeValue(secrets.Object(in))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"a":"******","b":["x ****** y ******","******","abcd",1],"c":{"type":"password_value","value":"******"},"d":null}`
	if string(text) != want {
		t.Errorf("shown\n got %s\nwant %s", text, want)
	}
	if got := in.Text("a"); got != "s3cret" {
		t.Errorf("the value itself became %s", got)
	}
	if none := stdops.SecretsOf(nil, "", int64(5)); none.Object(in) != in || none.Text("x") != "x" {
		t.Error("without secrets something is changed")
	}
}
