package sqlstore

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// FuzzHolder: a holder is read as it was written; a text that another version or hand wrote proves nothing, or what it says.
func FuzzHolder(f *testing.F) {
	f.Add("machine", 4711, int64(1000), int64(1<<40), "a.b.c.d.e")
	f.Add("", 0, int64(0), int64(0), "....")
	f.Add("m.n", -1, int64(-1), int64(-1<<63), "m.zz.1.1y2p0ij32e8e7.x")
	f.Add("m", 1, int64(1), int64(1), "m.+1.-0.1.x")
	f.Fuzz(func(t *testing.T, machine string, pid int, started, origin int64, text string) {
		h := holder{process: process{machine: machine, pid: pid, started: started}, origin: origin}
		read, ok := parseHolder(h.text())
		if provable := machine != "" && !strings.Contains(machine, "."); ok != provable || ok && read != h {
			t.Fatalf("%+v, written %q, became %+v, %t", h, h.text(), read, ok)
		}
		if other, ok := parseHolder(text); ok && !strings.HasPrefix(text, other.machine+".") {
			t.Fatalf("%q became %+v", text, other)
		}
	})
}

// FuzzOrderCursor: a cursor that is accepted names a table that exists and an id, and is written so again.
func FuzzOrderCursor(f *testing.F) {
	for _, seed := range []string{"", "0:1", "15:9223372036854775807", "16:1", "-1:1", "1", "1:", ":1", "1:2:3", "+1:5", "01:5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		table, after, err := parseOrderCursor(cursor)
		var refusal *seckill.Refusal
		switch {
		case err != nil && (!errors.As(err, &refusal) || refusal.Reason != seckill.Invalid || refusal.Field != "cursor"):
			t.Fatalf("%q: %v", cursor, err)
		case err != nil || cursor == "":
		case table < 0 || table >= orderTables || after <= 0:
			t.Fatalf("%q became %d:%d", cursor, table, after)
		case cursor != fmt.Sprintf("%d:%d", table, after):
			t.Fatalf("%q became %d:%d", cursor, table, after)
		}
	})
}

// FuzzVersion: a server is too old by its first three numbers, whatever its maker writes behind them.
func FuzzVersion(f *testing.F) {
	f.Add(uint16(8), uint16(0), uint16(16), "")
	f.Add(uint16(8), uint16(0), uint16(15), "-log")
	f.Add(uint16(10), uint16(11), uint16(0), "-MariaDB-0+deb12u1")
	f.Add(uint16(10), uint16(6), uint16(20), "-MariaDB")
	f.Add(uint16(5), uint16(7), uint16(25), "-TiDB-v7.5.0")
	f.Add(uint16(8), uint16(0), uint16(30), "-Vitess")
	f.Add(uint16(9), uint16(0), uint16(0), "-\x00.-")
	f.Fuzz(func(t *testing.T, major, minor, patch uint16, maker string) {
		if maker != "" && maker[0] != '-' {
			t.Skip("no such version")
		}
		release := fmt.Sprintf("%d.%d.%d", major, minor, patch)
		kind, oldest, isOld := tooOld(release + maker)
		want := [3]int{8, 0, 16}
		if kind == "MariaDB" {
			want = [3]int{10, 11, 0}
		}
		have := [3]int{int(major), int(minor), int(patch)}
		if kind == "MariaDB" && strings.HasPrefix(release+maker, "5.5.5-") {
			have = numbersOf(maker[1:]) // what it told old replicas it is comes first
		}
		exempt := !strings.Contains(maker, "MariaDB") && (strings.Contains(maker, "TiDB") || strings.Contains(maker, "Vitess"))
		if isBelow := fmt.Sprintf("%06d", have) < fmt.Sprintf("%06d", want); isOld != (isBelow && !exempt) {
			t.Fatalf("%s%s is %s, too old: %t; the oldest is %s", release, maker, kind, isOld, oldest)
		}
		_, _, _ = tooOld(maker) // whatever it is
	})
}

// FuzzClip: whatever others say, what is kept of it is text that fits its column, and all of it when it is such.
func FuzzClip(f *testing.F) {
	for _, seed := range []string{"", "the bank is closed", "天气" + string([]byte{0xe5, 0xa4}), strings.Repeat("é", textMax), strings.Repeat("é", textMax+1), "\x00\xff\xfe", strings.Repeat("\xff", 3*textMax)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		kept := clip(text)
		if length := utf8.RuneCountInString(kept); length > textMax || !utf8.ValidString(kept) || clip(kept) != kept {
			t.Fatalf("%q is kept as %q", text, kept)
		}
		if fits := utf8.ValidString(text) && utf8.RuneCountInString(text) <= textMax; fits && kept != text {
			t.Fatalf("%q is kept as %q", text, kept)
		}
	})
}

// FuzzDSN: whatever a DSN asks for, what this package relies on is set, and an error keeps its words to itself.
func FuzzDSN(f *testing.F) {
	for _, seed := range []string{
		"shop:secret-password@tcp(db:3306)/seckill", "shop@tcp(db:3306)/seckill?multiStatements=true&clientFoundRows=true&interpolateParams=false&parseTime=false&readTimeout=1h",
		"shop:secret-password@tcp(db:3306)", "shop:secret-password@tcp(db:3306/seckill", "/", "", "a@unix(/x)/d?charset=latin1&collation=latin1_bin", "u@tcp(h)/d?tls=secret-password",
		"u@tcp(h)/d?loc=x", "u@tcp(h)/d%2fe?time_zone=%27UTC%27", "u@tcp(h)/d?allowAllFiles=true", "u@tcp([::1]:3306)/d?maxAllowedPacket=-1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		server, err := MySQLConfig{}.parse(dsn)
		if err != nil {
			if strings.Contains(dsn, "secret-password") && strings.Contains(err.Error(), "secret-password") {
				t.Fatalf("%q is quoted: %v", dsn, err)
			}
			return
		}
		relied := server.InterpolateParams && server.CheckConnLiveness && server.ParseTime && !server.ClientFoundRows && !server.MultiStatements
		bounded := server.ReadTimeout == mysqlReadTimeout && server.WriteTimeout == mysqlWriteTimeout && server.Timeout == mysqlConnectTimeout
		if server.DBName == "" || !relied || !bounded {
			t.Fatalf("%q became %+v", dsn, server)
		}
		wantWriter(t, dsn, server)
	})
}

// wantWriter wants a writer that does not change what it is made of.
func wantWriter(t *testing.T, dsn string, server *mysql.Config) {
	t.Helper()
	before := maps.Clone(server.Params)
	writer := (MySQLConfig{}).writer(server)
	if !writer.RejectReadOnly || writer.Params["wait_timeout"] != strconv.Itoa(int(mysqlIdle.Seconds())) || !maps.Equal(server.Params, before) {
		t.Fatalf("%q: the writer is %+v", dsn, writer)
	}
}
