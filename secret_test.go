package stdops_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
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

// TestSecretsInOtherForms: texts that quote a secret do not show it either.
func TestSecretsInOtherForms(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{`a"b\c<d`, "it's\nfour\tlines", "p&ss w/rd", "Pa${word", "x${a}y"} {
		own, err := stdops.EncodeValue(secret)
		if err != nil {
			t.Fatal(err)
		}
		other, err := json.Marshal(secret)
		if err != nil {
			t.Fatal(err)
		}
		python := strings.NewReplacer("\\", `\\`, "\n", `\n`, "\t", `\t`).Replace(secret)
		secrets := stdops.SecretsOf(secret)
		for _, form := range []string{
			secret, string(own[1 : len(own)-1]), string(other[1 : len(other)-1]), strings.Trim(fmt.Sprintf("%q", secret), `"`),
			python, url.QueryEscape(secret), url.PathEscape(secret),
		} {
			if got := secrets.Text("<" + form + ">"); got != "<******>" {
				t.Errorf("%q of %q is shown as %q", form, secret, got)
			}
		}
	}
}

func TestSecretsThatAreNumbers(t *testing.T) {
	t.Parallel()
	secrets := stdops.SecretsOf(int64(123456), 1.25, "98765", int64(7))
	shown := secrets.Value([]any{int64(123456), "PIN 123456", 1.25, int64(98765), int64(7), int64(1234567)})
	if got := fmt.Sprint(shown); got != "[****** PIN ****** ****** ****** 7 1234567]" {
		t.Errorf("shown: %s", got)
	}
}

// TestSecretsTakeLinearTime hides a secret that stands in a large text as often as it can, beside others that do not: with
// a copy of the text for each place it would take hours.
func TestSecretsTakeLinearTime(t *testing.T) {
	t.Parallel()
	secrets := stdops.SecretsOf("aaaa", "aaab", "bbbb", strings.Repeat("a", 4096)+"b")
	const times = 1 << 18
	want := strings.Repeat(stdops.Hidden, times) + "b"
	if got := secrets.Text(strings.Repeat("aaaa", times) + "b"); len(got) > len(want) || strings.Contains(got, "a") {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}
