package api

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
)

// TakesGzip reports whether the caller reads answers in gzip.
func TakesGzip(r *http.Request) bool {
	for _, line := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(line, ",") {
			name, parameter, _ := strings.Cut(strings.TrimSpace(coding), ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") {
				return wanted(parameter)
			}
		}
	}
	return false
}

// wanted reads the quality of a coding: only a zero forbids it.
func wanted(parameter string) bool {
	_, text, given := strings.Cut(parameter, "=")
	quality, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return !given || err != nil || quality > 0
}

// Sum is what has to be known of a text to continue the checksum and the size of what stands before it.
type Sum struct {
	crc   uint32
	shift uint32 // what moves the checksum of what stands before
	size  uint32
}

func sumOf(text []byte) Sum {
	return Sum{crc: crc32.ChecksumIEEE(text), shift: shiftOf(len(text)), size: uint32(len(text))}
}

// A CRC-32 is a polynomial over GF(2), of which the highest bit is the coefficient of x^0, modulo polynomial. To append n
// bytes to a text multiplies its checksum by x^(8n).
const (
	polynomial = crc32.IEEE
	one        = 1 << 31
	byX        = 1 << 30
)

// multiply multiplies two polynomials.
func multiply(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 {
		if a&one != 0 {
			product ^= b
		}
		if carry := b & 1; carry != 0 {
			b = b>>1 ^ polynomial
		} else {
			b >>= 1
		}
	}
	return product
}

// shiftOf gives x^(8n).
func shiftOf(n int) uint32 {
	power, square := uint32(one), uint32(byX)
	for bits := uint64(n) * 8; bits > 0; bits >>= 1 {
		if bits&1 != 0 {
			power = multiply(power, square)
		}
		square = multiply(square, square)
	}
	return power
}

// deflaters are used again: each has tables of some hundred kilobytes.
var deflaters = sync.Pool{New: func() any {
	z, _ := flate.NewWriter(nil, flate.BestSpeed) // the level is a valid one
	return z
}}

// AppendDeflated appends a text in deflate form that can stand anywhere in a gzip member: it refers to nothing before it
// and ends at a whole byte.
func AppendDeflated(b, text []byte) ([]byte, Sum) {
	z := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(z)
	out := bytes.NewBuffer(b)
	z.Reset(out)
	_, _ = z.Write(text) // a buffer takes everything
	_ = z.Flush()
	z.Reset(nil)
	return out.Bytes(), sumOf(text)
}

// member is a gzip member that is put together of parts that are deflated already and of plain text, which is stored as
// it is.
type member struct {
	out  []byte
	crc  uint32
	size uint32
}

// gzipHead is the beginning of a member: deflate, no name, no time, no system.
const gzipHead = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

func newMember(b []byte) *member { return &member{out: append(b, gzipHead...)} }

func (m *member) plain(text []byte) {
	m.crc = crc32.Update(m.crc, crc32.IEEETable, text)
	m.size += uint32(len(text))
	for len(text) > 0 {
		n := min(len(text), math.MaxUint16)
		m.out = append(m.out, 0)
		m.out = binary.LittleEndian.AppendUint16(m.out, uint16(n))
		m.out = binary.LittleEndian.AppendUint16(m.out, ^uint16(n))
		m.out = append(m.out, text[:n]...)
		text = text[n:]
	}
}

func (m *member) deflated(part []byte, sum Sum) {
	m.crc = multiply(m.crc, sum.shift) ^ sum.crc
	m.size += sum.size
	m.out = append(m.out, part...)
}

// end completes the member with an empty last block.
func (m *member) end() {
	m.out = append(m.out, 1, 0, 0, 0xff, 0xff)
	m.out = binary.LittleEndian.AppendUint32(m.out, m.crc)
	m.out = binary.LittleEndian.AppendUint32(m.out, m.size)
}
