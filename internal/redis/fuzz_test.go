package redis

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// spoken makes a script's reply of text: one value per line, those behind # integers, ! nothing at all.
func spoken(text string) []any {
	var values []any
	for line := range strings.SplitSeq(text, "\n") {
		digits, isNumber := strings.CutPrefix(line, "#")
		n, err := strconv.ParseInt(digits, 10, 64)
		switch {
		case isNumber && err == nil:
			values = append(values, n)
		case line == "!":
			values = append(values, nil)
		default:
			values = append(values, line)
		}
	}
	return values
}

// opened opens a reply as the adapter does.
func opened(values []any) (*reply, bool) {
	r, err := newScript("fuzz", "").open(values)
	return r, err == nil
}

// asked is what the replies answer: two buyers, one of them by key, and one by id.
func asked() ([]seckill.ReserveRequest, []seckill.LookRequest) {
	return []seckill.ReserveRequest{{ID: 11, User: "ann", Quantity: 1, KeyHash: "k"}, {ID: 12, User: "bob", Quantity: 2, KeyHash: "12"}},
		[]seckill.LookRequest{{User: "ann", KeyHash: "k"}, {User: "bob"}, {User: "cat", ID: 9}}
}

// FuzzReserveReply: a reply of any form is read to its end, in no more than its own size, and what is understood says the
// same when it is said again.
func FuzzReserveReply(f *testing.F) {
	f.Add("ok\n3\n12\n#88\n#1773999999250000\n{}\n#0\n#1\n#1")
	f.Add("ok\n3\n12\n88\n1\n\n#1\n77\n{}\n#3\n11\n1\n77\n#9\n#1\n5\n2\nh\n")
	f.Add("ok\n3\n12\n88\n1\n\n#0\n#10\n#0\n#5\n11\n0\n")
	f.Add("ok\n3\n12\n88\n1\n\n#9223372036854775807")
	f.Add("ok\n3\n12\n88\n1\n\n#-1\n#9\n#9223372036854775807")
	f.Add("not_live")
	f.Add("buyers_lost\n!")
	f.Fuzz(func(t *testing.T, text string) {
		requests, _ := asked()
		r, ok := opened(spoken(text))
		if !ok {
			return
		}
		got := readReserve(r, 77, requests)
		held := 0
		for _, outcome := range got.Outcomes {
			held += len(outcome.Held)
		}
		if len(got.Outcomes) != len(requests) || len(got.Unsent)+held > strings.Count(text, "\n") {
			t.Fatalf("%q has %d outcomes, %d bodies and %d entries", text, len(got.Outcomes), len(got.Unsent), held)
		}
		if r.done("") != nil {
			return
		}
		again, _ := opened(sayReserve(got))
		if read := readReserve(again, 77, requests); again.done("") != nil || !reflect.DeepEqual(read, got) {
			t.Fatalf("%+v, said again, became %+v, %v", got, read, again.err)
		}
	})
}

// sayReserve says a reply as reserve.lua does.
func sayReserve(reply seckill.ReserveReply) []any {
	said := []any{"ok", decimal(reply.Epoch), decimal(reply.Sold), decimal(reply.Available), reply.Now.UnixMicro(), string(reply.Own.Bytes), int64(len(reply.Unsent))}
	for _, body := range reply.Unsent {
		said = append(said, decimal(body.Batch), string(body.Bytes))
	}
	for _, outcome := range reply.Outcomes {
		said = append(said, int64(outcome.Code))
		switch outcome.Code {
		case seckill.ReserveReplayed, seckill.ReserveUnsent, seckill.ReserveMismatch, seckill.ReserveGivenBack:
			said = append(said, decimal(outcome.ID), outcome.Quantity, decimal(outcome.Batch))
		case seckill.ReserveLimitReached:
			said = append(said, int64(len(outcome.Held)))
			for _, entry := range outcome.Held {
				said = append(said, sayEntry(entry)...)
			}
		case seckill.ReserveSoldOut:
			said = append(said, outcome.Available)
		default:
		}
	}
	return said
}

func sayEntry(entry seckill.BuyerEntry) []any {
	return []any{decimal(entry.ID), entry.Quantity, entry.KeyHash, batchText(entry.Batch)}
}

// FuzzLookReply: the same for what buyers hold.
func FuzzLookReply(f *testing.F) {
	f.Add("ok\n#1\n5\n1\nk\n7\n#1\n#2\n5\n1\nk\n\n#0\n6\n0\nh\n7\n#0\n#0")
	f.Add("ok\n#0\n#0\n#1\n9\n1\nh\n\n0")
	f.Add("ok\n#9223372036854775807\n5")
	f.Add("ok\n99999999999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		_, requests := asked()
		r, ok := opened(spoken(text))
		if !ok {
			return
		}
		answers := readLooks(r, requests)
		if r.done("") != nil {
			return
		}
		said := []any{"ok"}
		for _, answer := range answers {
			held := answer.Held
			if answer.Found {
				held = []seckill.BuyerEntry{answer.Entry}
			}
			said = append(said, int64(len(held)))
			for _, entry := range held {
				said = append(append(said, sayEntry(entry)...), flagNumber(entry.Unsent))
			}
		}
		again, _ := opened(said)
		if read := readLooks(again, requests); again.done("") != nil || !reflect.DeepEqual(read, answers) {
			t.Fatalf("%+v, said again, became %+v, %v", answers, read, again.err)
		}
	})
}

func readLooks(r *reply, requests []seckill.LookRequest) (answers []seckill.LookAnswer) {
	for _, request := range requests {
		answers = append(answers, readLook(r, request))
	}
	return answers
}

func flagNumber(flag bool) int64 {
	if flag {
		return 1
	}
	return 0
}

// FuzzStateReply: a state is read whole or refused; what the relay owes never has more entries than the reply has values.
func FuzzStateReply(f *testing.F) {
	f.Add("ok\n#1773999999250000\nrun\nreplid\n#1\n#2\n3 run replid 1773999999999\n3\n88\n12\n4\n1773999999250\n1773999999999\n2\nopen\n0")
	f.Add("ok\n#1\n\n\n#0\n#0\n#0\n\n\n\n\n\n\n\n\n\n\n\n")
	f.Add("ok\n77\n#1\n0\n{}\n78\n#0\n20\n{}")
	f.Fuzz(func(t *testing.T, text string) {
		values := spoken(text)
		if r, ok := opened(slices.Clone(values)); ok {
			state := readState(r, 5, seckill.Server{})
			if r.done("") == nil && (state.Item != 5 || state.Known != (state.Epoch > 0) || !state.Known && !state.OpensAt.IsZero()) {
				t.Fatalf("%q became %+v", text, state)
			}
		}
		r, ok := opened(values)
		if !ok {
			return
		}
		due := readDue(r)
		if len(due) > len(values) {
			t.Fatalf("%q became %d entries", text, len(due))
		}
		if r.done("") == nil && 4*len(due) != len(values)-1 {
			t.Fatalf("%q became %+v", text, due)
		}
	})
}

// FuzzDecisions: what is announced is heard as it was said; of what nobody would announce, only ids are heard.
func FuzzDecisions(f *testing.F) {
	for _, seed := range []string{"5:6,7;8:9", "", ";", "5:", ":6", "5:6;x:7;5:8", "05:6", "5:6,6,6", "5:9223372036854775808"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		decisions := decodeDecisions(payload)
		for _, decision := range decisions {
			if decision.Item <= 0 || decision.Reservation <= 0 {
				t.Fatalf("%q became %+v", payload, decisions)
			}
		}
		if again := decodeDecisions(encodeDecisions(decisions)); !slices.Equal(again, decisions) {
			t.Fatalf("%+v, announced as %q, became %+v", decisions, encodeDecisions(decisions), again)
		}
	})
}

// FuzzServerFacts: whatever a server says of itself, it is judged in single lines, and only for what it says.
func FuzzServerFacts(f *testing.F) {
	f.Add("redis_version:7.2.4\r\nredis_mode:standalone\r\nrole:master\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\n", false)
	f.Add("redis_version:6.2\nrole:slave\nmaster_host:a\nmaster_port:1\naof_enabled:0\nmaxmemory_policy:allkeys-lru\nredis_mode:cluster", true)
	f.Add("redis_version:.\n:\nrole", false)
	f.Add("redis_version:10.0.1\r\n# Server\r\n", false)
	f.Fuzz(func(t *testing.T, info string, inCluster bool) {
		facts := make(map[string]string)
		readFacts(info, facts)
		for name, value := range facts {
			if !strings.Contains(info, name) || !strings.Contains(info, value) || strings.Contains(name+value, "\n") {
				t.Fatalf("%q has a fact %q: %q", info, name, value)
			}
		}
		for _, sentence := range unsafe(facts, inCluster) {
			if sentence == "" || strings.Contains(sentence, "\n") {
				t.Fatalf("%q is judged %q", info, sentence)
			}
		}
		var major int
		if n, err := fmt.Sscanf(facts["redis_version"], "%d.", &major); n == 1 && err == nil && major >= 7 && major < 1000 && old(facts["redis_version"]) {
			t.Fatalf("%q is old", facts["redis_version"])
		}
	})
}
