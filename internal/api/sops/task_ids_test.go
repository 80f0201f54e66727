package sops

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

func TestAskedIDs(t *testing.T) {
	t.Parallel()
	forty := strings.Repeat("9", 40)
	for _, c := range []struct {
		list string
		want []string // plain digits
		bad  string   // the item that the refusal names
	}{
		{`[12, 12.0, 1.2e1, 1200e-2, "12", " 12 ", "012", "+12", "\t\r\n12"]`, []string{"12"}, ""},
		{`[3, 1, 2, 3]`, []string{"3", "1", "2"}, ""},
		{`[0, -0, 0.0, 0e999999999999, "-0", "000"]`, []string{"0"}, ""},
		{`[-5, "-5", "-05"]`, []string{"-5"}, ""},
		{`[9223372036854775808, 18446744073709551616]`, []string{"9223372036854775808", "18446744073709551616"}, ""},
		{`[` + forty + `, "` + forty + `"]`, []string{forty}, ""},
		{`[1e39]`, []string{"1" + strings.Repeat("0", 39)}, ""},
		{`[null, null]`, nil, ""},
		{`[]`, nil, ""},
		{`[` + forty + `9]`, nil, strings.Repeat("9", 41)},
		{`["` + forty + `9"]`, nil, strings.Repeat("9", 41)},
		{`[1e40]`, nil, "1e40"},
		{`[1e999999999]`, nil, "1e999999999"},
		{`[1e99999999999999999999]`, nil, "1e99999999999999999999"},
		{`[12.9]`, nil, "12.9"},
		{`[1e-1]`, nil, "1e-1"},
		{`["12.0"]`, nil, "12.0"},
		{`["1_0"]`, nil, "1_0"},
		{`["１２"]`, nil, "１２"},
		{`["1 2"]`, nil, "1 2"},
		{`["\u00a012"]`, nil, "\u00a012"},
		{`[1, "abc"]`, nil, "abc"},
		{`[true]`, nil, "true"},
		{`[{"a":[1]}]`, nil, `{"a":[1]}`},
		{`[[101]]`, nil, "[101]"},
		{`["` + strings.Repeat("ж", 100) + `"]`, nil, strings.Repeat("ж", 64) + "…"},
	} {
		t.Run(c.list[:min(len(c.list), 40)], func(t *testing.T) {
			t.Parallel()
			value, err := stdops.DecodeExact([]byte(`{"task_id_list":` + c.list + `}`))
			if err != nil {
				t.Fatal(err)
			}
			asked, listed, err := askedIDs(value.(*stdops.Object), mostIDs, "too long")
			if c.bad != "" {
				if want := "task_id_list contains invalid task id: " + c.bad; err == nil || err.Error() != want {
					t.Errorf("error %v, want %s", err, want)
				}
				return
			}
			var got []string
			for _, id := range asked {
				got = append(got, id.digits)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || !listed || err != nil {
				t.Errorf("listed %v, error %v (-want +got)\n%s", listed, err, diff)
			}
		})
	}
}

// TestWholeNumber compares with exact fractions.
func TestWholeNumber(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		literal := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "literal")
		var check json.Number
		if json.Unmarshal([]byte(literal), &check) != nil {
			t.Skip("no JSON number")
		}
		exact, ok := new(big.Rat).SetString(literal)
		if !ok {
			t.Fatal("no fraction")
		}
		want := exact.Num().String()
		wantOK := exact.IsInt() && len(strings.TrimPrefix(want, "-")) <= mostDigits
		got, ok := wholeNumber(literal)
		if ok != wantOK || ok && got != want {
			t.Errorf("%s gives %q %v, want %q %v", literal, got, ok, want, wantOK)
		}
	})
}

func TestBoolean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values    string
		on, known bool
	}{
		{`[true, 1, 1.0, "t", "y", "yes", "true", "on", "1", "True", "YES", "oN"]`, true, true},
		{`[false, 0, 0.0, "f", "n", "no", "false", "off", "0", "FALSE", "No"]`, false, true},
		{`[2, -1, 0.5, 10, "", "maybe", " true", "null", [], {}, null, "1.0"]`, false, false},
	} {
		for _, decode := range []func([]byte) (any, error){stdops.DecodeValue, stdops.DecodeExact} {
			values, err := decode([]byte(c.values))
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range values.([]any) {
				if on, known := boolean(v); known != c.known || known && on != c.on {
					t.Errorf("%v (%T) is %v, known %v", v, v, on, known)
				}
			}
		}
	}
}

func TestInnerHost(t *testing.T) {
	t.Parallel()
	for _, host := range []string{
		"localhost", "LOCALHOST.", "x.localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001", "0177.0.0.1",
		"10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "0", "255.255.255.255", "224.0.0.1",
		"::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
		"64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "2852039166", "192.0.2.1",
	} {
		if !innerHost(host) {
			t.Errorf("%s is taken for an address outside", host)
		}
	}
	for _, host := range []string{"example.com", "8.8.8.8", "134744072", "2606:4700::1111", "1.example", "0x.example", "1.2.3.4.5", "999999999999", "a.b"} {
		if innerHost(host) {
			t.Errorf("%s is taken for an inner address", host)
		}
	}
}
