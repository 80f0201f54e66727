package exchange

import (
	"testing"

	"github.com/stdops/stdops"
)

func TestCanonicalText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"b": 1, "a": [true, false, null], "": {}}`: `{"":{},"a":[true,false,null],"b":1}`,
		`"a/b\"\\\b\f\n\r\t\u0001\u007f"`:            "\"a\\/b\\\"\\\\\\b\\f\\n\\r\\t\\u0001\x7f\"",
		`"é等\u2028😀<>&"`:                             `"\u00e9\u7b49\u2028\ud83d\ude00<>&"`,
		`[1.0, -0.0, 0.1, 1e15, 1e16, 1e-4, 1e-5, 1.5e300, -2.5e-7, 123456789012345678901234567890]`: `[1.0,-0.0,0.1,1000000000000000.0,1e+16,0.0001,1e-5,1.5e+300,-2.5e-7,123456789012345678901234567890]`,
		`{"é": 1, "z": 2, "😀": 3, "\uffff": 4}`:                                                      `{"z":2,"\u00e9":1,"\uffff":4,"\ud83d\ude00":3}`,
	} {
		v, err := stdops.DecodeValue([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendCanonical(nil, v)); got != want {
			t.Errorf("%s becomes\n%s, want\n%s", in, got, want)
		}
	}
}
