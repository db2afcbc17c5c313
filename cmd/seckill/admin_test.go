package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// names sets variables to the words that the last program printed, in their order.
func names(ts *testscript.TestScript, neg bool, args []string) {
	words := strings.Fields(ts.ReadFile("stdout"))
	if neg || len(args) == 0 || len(words) < len(args) {
		ts.Fatalf("usage: names variable..., after a program that printed as many words, not %v", words)
	}
	for i, name := range args {
		ts.Setenv(name, words[i])
	}
}

// buys has the shopper of the file `token` buy units of $ITEM, as soon as it is sold.
func buys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: buys units key")
	}
	token := strings.TrimSpace(ts.ReadFile("token"))
	url := "http://" + ts.Getenv("SHOP") + "/v1/items/" + ts.Getenv("ITEM") + "/reservations"
	await(ts, "bought", func() bool {
		request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(`{"quantity":`+args[0]+`}`))) //nolint:noctx // bounded by the client
		ts.Check(err)
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", args[1])
		response, err := (&http.Client{Timeout: patience}).Do(request)
		ts.Check(err)
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		ts.Check(err)
		return response.StatusCode == http.StatusAccepted
	})
}

// bury writes a dead letter by hand and sets $LETTER.
func bury(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: bury body")
	}
	withFile(ts, "queue.db", func(ctx context.Context, conn *sql.Conn) error {
		ts.Setenv("LETTER", fmt.Sprint(letterID))
		_, err := conn.ExecContext(ctx, "INSERT INTO dead_letters (id, shard, cause, at, body) VALUES (?, 0, 'by hand', ?, ?)",
			letterID, time.Now().UnixMilli(), []byte(args[0]))
		return err
	})
}

// letterID is older than any that the program makes.
const letterID = 4242

// paste writes the lines of a README section that people paste into a terminal to a file, as they mean on this machine.
// The first one, which starts the system, is the script's.
func paste(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: paste heading file")
	}
	content, err := os.ReadFile(readme)
	ts.Check(err)
	_, section, found := strings.Cut(string(content), "\n## "+args[0]+"\n")
	if !found {
		ts.Fatalf("README.md has no section %q", args[0])
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var lines []string
	for line := range strings.Lines(section) {
		if code, isCode := strings.CutPrefix(line, "    "); isCode {
			lines = append(lines, code)
		}
	}
	if len(lines) == 0 {
		ts.Fatalf("section %q has nothing to paste", args[0])
	}
	here := strings.NewReplacer("go run ./cmd/seckill", "seckill", "localhost:8080", ts.Getenv("SHOP"))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(here.Replace(strings.Join(lines[1:], ""))), 0o600))
}
