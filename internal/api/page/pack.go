package page

import (
	"bytes"
	"compress/gzip"
)

// worthPacking is the size from which on a page is sent packed: one of a thousand nodes shrinks to a thirtieth. A page
// holds no secret that its length could tell.
const worthPacking = 8 << 10

func packed(page []byte) (b bytes.Buffer) {
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is a valid one
	_, _ = z.Write(page)                            // a buffer takes everything
	_ = z.Close()
	return b
}
