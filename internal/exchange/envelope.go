package exchange

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/stdops/stdops"
)

// Reading says how files are read.
type Reading struct {
	// Salts are those of the installations whose bundles are accepted, the own one first. With none, a digest must have
	// the form of one and is not compared: it finds damage, not forgery.
	Salts  []string
	Values int // values and keys that a file may have; 0 means any number
}

// open gives what an envelope holds, after its digest was checked.
func open(text string, o Reading) (*stdops.Object, error) {
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)) // line breaks inside count for nothing
	if err != nil {
		return nil, invalid("template_data is no base64: %s", err)
	}
	value, err := stdops.Decoding{Values: o.Values}.Decode(newText(data))
	if err != nil {
		return nil, invalid("template_data holds no JSON: %s", err)
	}
	envelope, _ := value.(*stdops.Object)
	content, ok := object(envelope, "template_data")
	if !ok {
		return nil, invalid("template_data: must hold an object template_data")
	}
	digest, had := envelope.Get("digest")
	if !had {
		return nil, invalid("template_data: digest is required")
	}
	text, ok = digest.(string)
	if !ok || !isDigest(text) {
		return nil, stdops.Errorf(stdops.CodeInvalidForm, "template_data: digest must be 32 hex digits")
	}
	fits := func(salt string) bool { return digestOf(content, salt) == text }
	if len(o.Salts) > 0 && !slices.ContainsFunc(o.Salts, fits) {
		return nil, stdops.Errorf(stdops.CodeInvalidForm, "template_data: the digest is not that of the content: the file is damaged, or signed with a salt that is not known here")
	}
	return content, nil
}

// seal signs a content and puts it into an envelope.
func seal(content *stdops.Object, salt string) (string, error) {
	text, err := stdops.EncodeValue(stdops.NewObject("digest", digestOf(content, salt), "template_data", content))
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(text), nil
}

func digestOf(content *stdops.Object, salt string) string {
	sum := md5.Sum(append(appendCanonical(nil, content), salt...))
	return hex.EncodeToString(sum[:])
}

func isDigest(text string) bool {
	if len(text) != 2*md5.Size {
		return false
	}
	return !strings.ContainsFunc(text, func(c rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", c) })
}
