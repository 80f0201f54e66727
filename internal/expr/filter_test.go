package expr

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFilters expects what Mako gives.
func TestFilters(t *testing.T) {
	t.Parallel()
	checkResults(t, []result{
		{`w | trim`, `x  y  z`},
		{`w|trim,u`, `x++y++z`},
		{`w | n, trim`, `x  y  z`},
		{`n | n`, stays},
		{`n | str`, `7`},
		{`n | n, str`, `7`},
		{`n | n, unicode`, `7`},
		{`n | h`, `7`},
		{`n | n, h`, `7`},
		{`n | x`, `7`},
		{`n | n, x`, stays},
		{`n | n, u`, stays},
		{`n | n, trim`, stays},
		{`n | n, entity`, `7`},
		{`n | n, decode.utf8`, `7`},
		{`a | n`, `abc`},
		{`l | h`, `[3, 1, 2]`},
		{`["'<"] | h`, `[&#34;&#39;&lt;&#34;]`},
		{`'<a href="x">&\'</a>' | h`, `&lt;a href=&#34;x&#34;&gt;&amp;&#39;&lt;/a&gt;`},
		{`'<a href="x">&\'</a>' | x`, `&lt;a href=&#34;x&#34;&gt;&amp;&#39;&lt;/a&gt;`},
		{`'&' | h, h`, `&amp;`},
		{`'&' | h, x`, `&amp;amp;`},
		{`'&' | x, h`, `&amp;amp;`},
		{`'&' | h, str, h`, `&amp;amp;`},
		{`' & ' | h, trim, h`, `&amp;`},
		{`'&' | h, decode.utf8, h`, `&amp;`},
		{`'a b/ü?=_.-~' | u`, `a+b%2F%C3%BC%3F%3D_.-~`},
		{`u | entity`, `中文字&eacute;`},
		{`'"&<>€ü\xa0' | entity`, `&quot;&amp;&lt;&gt;&euro;&uuml;&nbsp;`},
		{`a.encode() | decode.utf8`, `b'abc'`},
		{`a.encode() | n, decode.utf8`, `abc`},
		{`u.encode() | n,decode.utf_8,u`, `%E4%B8%AD%E6%96%87%E5%AD%97%C3%A9`},
		{`u.encode() | n,decode.ascii`, stays},
		{`a.encode() | n,decode.nope`, stays},
		{`a | decode.nope`, `abc`},
		{`a.encode() | n`, stays},
		{`a | decode._x`, stays},
		{`a | decode`, stays},
		{`a | decode.utf8.x`, stays},
		{`a | nope`, stays},
		{`a | h nope`, stays},
		{`a | h()`, stays},
		{`a |`, stays},
		{`a | h,`, stays},
		{`| h`, stays},
		{`a || h`, stays},
		{`a | h | u`, stays},
		{`a | 'h'`, stays},
		{`a | str.upper`, stays},
		{`a | (h)`, stays},
		{`(a | h)`, stays},
		{`nope | h`, stays},
		{`z | h`, `None`},
		{`[x for x in l] | trim`, `[3, 1, 2]`},
		{`a if t else u | trim`, `abc`},
	})
}

func TestFiltersAreNoNames(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]string{"a"}, References("${a | h, trim, decode.utf8}")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	vars := variables("a", "<", "h", "x")
	if got, err := Render("${a | h}${h}!", vars, Environment{}); got != "&lt;x!" {
		t.Errorf("beside a variable of that name: %v, %v", got, err)
	}
}

func TestLimitsOfFilters(t *testing.T) {
	t.Parallel()
	vars := variables("s", strings.Repeat("&", maxSize/4))
	for source, want := range map[string]string{
		"${s | h} ": "size", "${s | x} ": "size", "${s | u} ": "", "${s | entity} ": "size", "${s | trim} ": "",
		"${s | u, u, u} ": "size", "${s | n" + strings.Repeat(", u", 20_000) + "} ": "size",
	} {
		if got := limitOf(t, still(source, vars)); got != want {
			t.Errorf("%.20s: limit %q, want %q", source, got, want)
		}
	}
}
