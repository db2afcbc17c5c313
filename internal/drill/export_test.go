package drill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv/server"
)

// Schedule is a plan as tests see it: a line for each act.
func Schedule(seed uint64, lasts time.Duration, pairs bool) []string {
	var lines []string
	for _, a := range plan(seed, lasts, exampleFaults(), pairs) {
		lines = append(lines, fmt.Sprintf("%s %s", a.at, a))
	}
	return lines
}

// Losses are, for each act of a schedule of pairs, what may be lost by both.
func Losses(seed uint64, lasts time.Duration) (losses [][2]string) {
	for _, a := range plan(seed, lasts, exampleFaults(), true) {
		if a.with != nil {
			losses = append(losses, [2]string{a.fault.loses, a.with.fault.loses})
		}
	}
	return losses
}

// Chosen is a schedule of some faults.
func Chosen(wanted ...string) []string {
	var lines []string
	for _, a := range plan(7, time.Hour, chosen(exampleFaults(), wanted), false) {
		lines = append(lines, strings.TrimSpace(a.fault.key()+" "+a.victim))
	}
	return lines
}

// Shortest is how often the shortest drill plays each fault, when nothing else is wanted.
func Shortest(seed uint64, embedded bool) map[string]int {
	played := make(map[string]int)
	all := allFaults(embedded)
	for _, name := range keys(all) {
		played[name] = len(plan(seed, LastsLeast, chosen(all, []string{name}), false))
	}
	return played
}

// exampleFaults are those of servers, without the nodes of a fleet.
func exampleFaults() []fault {
	process, stock, broker, shard := bars()
	faults := []fault{
		{name: "kill", victims: []string{"api-0", "api-1"}, staple: 2, bar: process},
		{name: "kill", victims: []string{redis}, staple: 1, bar: stock, loses: redis},
	}
	faults = append(faults, redisFaults(stock)...)
	faults = append(faults, brokerFaults(broker, true)...)
	faults = append(faults, diskFault([]string{redis, rabbitmq}))
	return append(faults, shardFaults(shard, []string{"mariadb-0", "mariadb-1"})...)
}

// Book is what a test's books hold.
type Book struct {
	Claims  []seckill.Claim
	Orders  []seckill.Order
	Charges []seckill.Charge
	Refunds []seckill.Refund
}

// Lenience is what a verdict has to allow.
type Lenience struct{ Pairs, Hurried bool }

// Judge holds a ledger file, and lines of a provider's ledger, against a book.
func Judge(ledger string, provider []string, book Book, allow Lenience) (Counts, []Finding, error) {
	told, err := readPromises(ledger)
	if err != nil {
		return Counts{}, nil, err
	}
	b := &books{
		claims: make(map[seckill.ID]seckill.Claim), orders: make(map[seckill.ID]seckill.BookedOrder),
		charges: make(map[string]seckill.Charge), refunds: make(map[string]seckill.Refund),
	}
	for _, claim := range book.Claims {
		b.claims[claim.ID] = claim
	}
	for _, order := range book.Orders {
		b.orders[order.ID] = seckill.BookedOrder{Order: order}
	}
	for _, taken := range book.Charges {
		b.charges[taken.Txn] = taken
	}
	for _, back := range book.Refunds {
		b.refunds[back.Txn] = back
	}
	j := &judge{books: b, pairs: allow.Pairs, hurried: allow.Hurried}
	j.promises(told)
	t := newTill("", "")
	for _, line := range provider {
		if err := t.addText([]byte(line)); err != nil {
			return Counts{}, nil, err
		}
	}
	j.money(t)
	return j.counts, j.findings, nil
}

// Crowd writes a text into a ledger as a crowd does, in pieces of that size.
func Crowd(path, text string, piece int) error {
	l, err := openLedger(path, time.Now())
	if err != nil {
		return err
	}
	p := &pen{to: l}
	for len(text) > 0 {
		n := min(piece, len(text))
		if _, err := io.WriteString(p, text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	return l.close()
}

// Sample is a report of two faults, one of which the system did not get over.
func Sample(folder string) Report {
	began := time.Now().Add(-time.Minute)
	_, stock, broker, _ := bars()
	turns := []turn{
		{act: act{fault: fault{name: "wipe", bar: stock}, victim: redis}, at: began, blow: blow{began, "9 keys lost"}, recovered: recovered{sells: 3 * time.Second}, over: true},
		{act: act{fault: fault{name: "slow down"}, victim: redis}, at: began, blow: blow{from: began}, over: true},
	}
	for range judgedLeast {
		turns = append(turns, turn{
			act: act{fault: fault{name: "kill", bar: broker}, victim: rabbitmq}, at: began, blow: blow{began, "killed"},
			recovered: recovered{9 * time.Second, 9 * time.Second, 9 * time.Second}, over: true,
		})
	}
	turns[len(turns)-1].recovered = recovered{never, never, never}
	v := Verdict{Found: make(map[string]int64)}
	v.judgeTurns(turns)
	return Report{
		Verdict: v, Seed: 7, Began: began, Lasts: time.Minute, Took: time.Minute, Folder: folder, Kills: map[string]int{rabbitmq: judgedLeast},
		turns: turns, seconds: []int64{10, 0, 20}, recoveries: recoveries(turns),
	}
}

// Played is a drill of an hour with so many promises and kills of each server.
func Played(folder string, answers int64, kills int) Report {
	r := Sample(folder)
	r.turns, r.Found, r.Findings, r.recoveries = r.turns[:1], map[string]int64{}, nil, nil
	r.turns[0].recovered = recovered{}
	r.Lasts, r.Counts.Answers = time.Hour, answers
	r.Kills = map[string]int{redis: kills, rabbitmq: kills, "mariadb": kills, "api": 300}
	return r
}

// Says is what the first new line of a log is quoted as.
func Says(path, text, wanted string) (before, after string, err error) {
	log := follow(path)
	before = log.says(wanted)
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return "", "", err
	}
	_, err = file.WriteString(text)
	return before, log.says(wanted), errors.Join(err, file.Close())
}

// Disk says whether a disk can be filled, and becomes free again, without leaving a mount behind.
func Disk(folder string) (skip string, err error) {
	d, err := openDisk(folder, 1)
	if err != nil {
		return err.Error(), nil
	}
	defer d.close()
	name := folder + "/data"
	if err := d.fill(); err != nil {
		return "", err
	}
	if os.WriteFile(name, []byte("some bytes"), 0o600) == nil {
		return "", fmt.Errorf("%s could be written to a disk that is full", name)
	}
	if err := d.free(); err != nil {
		return "", err
	}
	return "", os.WriteFile(name, []byte("some bytes"), 0o600)
}

// FullRedis fills the disk of a Redis that has begun its log by a rewrite, until it could write a command in part only. Then
// it is killed. It returns what is left of a key that was set between.
func FullRedis(ctx context.Context, folder string) (left, skip string, err error) {
	d, err := openDisk(filepath.Join(folder, "data"), 16)
	if err != nil {
		return "", err.Error(), nil
	}
	defer d.close()
	r, err := server.OpenRedis(ctx, server.Options{Dir: folder})
	if err != nil {
		return "", "", err
	}
	defer r.Close()
	if err := r.Rewrite(ctx); err != nil {
		return "", "", err
	}
	full, err := overflow(ctx, r.Addr())
	if err != nil {
		return "", "", err
	}
	n := nemesis{stage: &stage{redis: &pair{primary: r, names: [2]string{redis}}, disks: map[string]*disk{redis: d}}}
	b, err := fillDisk(full, &n, act{victim: redis, lasts: time.Minute})
	if err != nil || !strings.Contains(b.effect, "Short write") {
		return "", "", fmt.Errorf("the disk was filled, %q: %w", b.effect, err)
	}
	if _, err := server.Ask(ctx, r.Addr(), "SET", "later", "kept"); err != nil {
		return "", "", err
	}
	if err := handedOver(ctx, r.Addr()); err != nil {
		return "", "", err
	}
	if err := r.Restart(ctx); err != nil {
		return "", "", err
	}
	left, err = server.Ask(ctx, r.Addr(), "GET", "later")
	return left, "", err
}

// overflow writes to a Redis until it refuses that. Its log has a first command by then, and so a page that is not full: a
// log that is empty when there is no room any more takes no part of a command. Nor would one whose last page is just full,
// but 23 bytes (SELECT) and any number of 932 never fill pages.
func overflow(ctx context.Context, addr string) (full context.Context, err error) {
	set := func() error {
		_, err := server.Ask(ctx, addr, "SET", "long", strings.Repeat("x", 901))
		return err
	}
	if err := errors.Join(set(), handedOver(ctx, addr)); err != nil {
		return nil, err
	}
	full, refused := context.WithCancel(ctx)
	go func() {
		defer refused()
		for ctx.Err() == nil {
			if err := set(); err != nil && strings.Contains(err.Error(), "MISCONF") {
				return
			}
		}
	}()
	return full, nil
}

// handedOver waits until a Redis has handed to the kernel what it has answered. It does not at once if the disk is slow.
func handedOver(ctx context.Context, addr string) error {
	for {
		info, err := server.Ask(ctx, addr, "INFO", "persistence")
		if err != nil || strings.Contains(info, "aof_buffer_length:0\r\n") {
			return err
		}
	}
}

// Idle is a drill of which so many faults had no effect.
func Idle(folder string, idle int) Report {
	r := Played(folder, 1, 0)
	for range idle {
		r.turns = append(r.turns, turn{act: act{fault: fault{name: "slow down"}, victim: redis}, over: true})
	}
	return r
}

// Moving says what still moves.
func Moving(item api.ItemStats) string { return moving(api.SaleStats{Items: []api.ItemStats{item}}) }

// Refused says what a drill finds when a probe is refused.
func Refused(reason api.Reason) []Finding {
	p := &probes{}
	p.refused(entry{User: "ada", Detail: "api-0", Reason: reason}, http.StatusConflict)
	return p.finish()
}

// Hurry is what a drill finds when nobody waits any more, neither for the end of a fault nor for what was promised: as soon as a
// probe has asked.
func Hurry(ctx context.Context, folder, shop string, asked <-chan struct{}) (Verdict, error) {
	l, err := openLedger(filepath.Join(folder, ledgerName), time.Now())
	if err != nil {
		return Verdict{}, err
	}
	s := &stage{doors: []door{{"api-0", shop}}, keys: Keys{Mint: func(user string) (string, error) { return user, nil }}}
	waiting, hurry := context.WithCancel(ctx)
	defer hurry()
	t := &timeline{out: io.Discard, ledger: l}
	p := newProbes(s, l, "hurried")
	n := &nemesis{stage: s, probes: p, timeline: t}
	buying, stop := context.WithCancel(ctx)
	p.start(buying, waiting, []string{"7"})
	n.play(buying, waiting, act{fault: fault{name: "none", strike: func(context.Context, *nemesis, act) (blow, error) {
		<-asked
		hurry()
		return blow{time.Now(), "nobody decides"}, nil
	}}})
	stop()
	v := Verdict{Found: make(map[string]int64), Hurried: true}
	v.add(p.finish()...)
	v.judgeTurns(t.played())
	p.http.CloseIdleConnections()
	return v, l.close()
}
