package store

import (
	"encoding/binary"
	"slices"
	"time"
)

// LogTime says when a part of a log was written, which ends where that of the next one begins.
type LogTime struct {
	From int64     // place of its first byte in the log
	At   time.Time // to the millisecond; zero: not known
}

// packTimes writes the times of the parts of a chunk, of which the first byte has the place seq.
func packTimes(seq int64, times []LogTime) []byte {
	var packed []byte
	var at int64
	for _, t := range times {
		packed = binary.AppendUvarint(packed, uint64(t.From-seq))
		packed = binary.AppendVarint(packed, t.At.UnixMilli()-at)
		seq, at = t.From, t.At.UnixMilli()
	}
	return packed
}

// unpackTimes reads what packTimes has written, as far as it can be read: a log is worth more than its times.
func unpackTimes(seq int64, packed []byte) (times []LogTime) {
	var at int64
	for len(packed) > 0 {
		step, n := binary.Uvarint(packed)
		if n <= 0 || step > maxChunk {
			return times
		}
		later, m := binary.Varint(packed[n:])
		if m <= 0 {
			return times
		}
		packed = packed[n+m:]
		seq += int64(step)
		at += later
		times = append(times, LogTime{seq, time.UnixMilli(at).UTC()})
	}
	return times
}

// withTime adds that what comes from a place on was written at a time.
func withTime(times []LogTime, from int64, at time.Time) []LogTime {
	if n := len(times); n > 0 && times[n-1].At.Equal(at) || n == 0 && at.IsZero() {
		return times
	}
	return append(times, LogTime{from, at})
}

// timesOfPart takes from the times of a log those that say something about a part of it.
func timesOfPart(times []LogTime, from, until int64) []LogTime {
	if from >= until {
		return nil
	}
	end := slices.IndexFunc(times, func(t LogTime) bool { return t.From >= until })
	if end >= 0 {
		times = times[:end]
	}
	for len(times) > 1 && times[1].From <= from {
		times = times[1:]
	}
	if len(times) == 0 || len(times) == 1 && times[0].At.IsZero() {
		return nil
	}
	return times
}
