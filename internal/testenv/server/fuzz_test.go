package server

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
)

// FuzzReply: a reply of a Redis is read to its end and no further, in the room that it takes itself; what was said is read as
// it was said.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		"+PONG\r\n", ":7\r\n", "-ERR no\r\n", "$5\r\nhello\r\n", "$-1\r\n", "*2\r\n+a\r\n$1\r\nb\r\n", "*-1\r\n", "*0\r\n", "$9223372036854775807\r\n", "*9223372036854775807\r\n",
		"*1048576\r\n", strings.Repeat("*1\r\n", 100), "$1048576\r\nx", "?\r\n", "\n", "", "$3\r\na\r\n", "%1\r\n+a\r\n+b\r\n",
	} {
		f.Add(seed, "said")
	}
	f.Fuzz(func(t *testing.T, raw, said string) {
		text, err := decode(bufio.NewReader(strings.NewReader(raw)), depthMax)
		if err != nil && text != "" || len(text) > len(raw) {
			t.Fatalf("%q became %q, %v", raw, text, err)
		}
		from := bufio.NewReader(strings.NewReader(fmt.Sprintf("*2\r\n$%d\r\n%s\r\n:7\r\n+after\r\n", len(said), said)))
		if text, err := decode(from, depthMax); err != nil || text != said+"\n7" {
			t.Fatalf("%q became %q, %v", said, text, err)
		}
		if text, err := decode(from, depthMax); err != nil || text != "after" {
			t.Fatalf("behind %q stands %q, %v", said, text, err)
		}
	})
}
