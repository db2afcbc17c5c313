package redis

import (
	"context"
	"crypto/sha1" //nolint:gosec // it is how Redis names scripts
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	goredis "github.com/redis/go-redis/v9"

	"github.com/seckill-dev/seckill/internal/seckill"
)

//go:embed lua/*.lua
var luaFiles embed.FS

// script is one of the files in lua/, behind the prelude.
type script struct {
	name string
	text string
	sha  string
}

// scripts are the whole API of an item in Redis.
type scripts struct {
	reserve, look                   script
	sent, settled, due, outbox      script
	loadBuyers, load, expire, buyer script
	open, renew, issue              script
	state, server                   script
}

func readScripts() (scripts, error) {
	var s scripts
	prelude, err := luaFiles.ReadFile("lua/prelude.lua")
	if err != nil {
		return scripts{}, fmt.Errorf("read scripts: %w", err)
	}
	for name, into := range map[string]*script{
		"reserve": &s.reserve, "look": &s.look,
		"sent": &s.sent, "settled": &s.settled, "due": &s.due, "outbox": &s.outbox,
		"load_buyers": &s.loadBuyers, "load": &s.load, "expire": &s.expire, "buyer": &s.buyer,
		"open": &s.open, "renew": &s.renew, "issue": &s.issue,
		"state": &s.state, "server": &s.server,
	} {
		body, err := luaFiles.ReadFile("lua/" + name + ".lua")
		if err != nil {
			return scripts{}, fmt.Errorf("read scripts: %w", err)
		}
		*into = newScript(name, string(prelude)+string(body))
	}
	return s, nil
}

func newScript(name, text string) script {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // it is how Redis names scripts
	return script{name: name, text: text, sha: hex.EncodeToString(sum[:])}
}

// once is a command that a cluster client must not send again after a lost reply; it still follows redirections, where
// nothing was done.
type once struct{ *goredis.Cmd }

// NoRetry implements goredis.Cmder.
func (once) NoRetry() bool { return true }

// call is one command line of a script by its name; known scripts need not be sent.
func (s script) call(ctx context.Context, keys []string, args []any) once {
	return s.command(ctx, "evalsha", s.sha, keys, args)
}

// withText is call with the text of the script, for a server that does not know it (yet).
func (s script) withText(ctx context.Context, keys []string, args []any) once {
	return s.command(ctx, "eval", s.text, keys, args)
}

func (s script) command(ctx context.Context, verb, what string, keys []string, args []any) once {
	line := make([]any, 0, 3+len(keys)+len(args))
	line = append(line, verb, what, len(keys))
	for _, key := range keys {
		line = append(line, key)
	}
	return once{goredis.NewCmd(ctx, append(line, args...)...)}
}

// run calls the script and opens its reply. Statuses other than ok become errors.
func (s script) run(ctx context.Context, client goredis.UniversalClient, keys []string, args ...any) (*reply, error) {
	if err := notBegun(ctx, s.name); err != nil {
		return nil, err
	}
	value, err := s.ask(ctx, client, keys, args)
	if err != nil {
		relearn(ctx, client, err)
		return nil, transport(s.name, err)
	}
	return s.open(value)
}

// ask calls the script, with its text if the server does not know it.
func (s script) ask(ctx context.Context, client goredis.UniversalClient, keys []string, args []any) (any, error) {
	cmd := s.call(ctx, keys, args)
	err := client.Process(ctx, cmd)
	if goredis.HasErrorPrefix(err, "NOSCRIPT") {
		cmd = s.withText(ctx, keys, args)
		err = client.Process(ctx, cmd)
	}
	return cmd.Val(), err
}

// open reads the status in front of a reply.
func (s script) open(value any) (*reply, error) {
	r, err := newReply(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	switch status := r.text(); status {
	case "ok":
		return r, nil
	case "not_live":
		return nil, fmt.Errorf("%s: %w", s.name, seckill.ErrNotLive)
	case "epoch_known":
		return nil, fmt.Errorf("%s: %w", s.name, seckill.ErrEpochKnown)
	case "batch_known":
		return nil, fmt.Errorf("%s: %w", s.name, ErrBatchKnown)
	case "buyers_lost":
		return nil, fmt.Errorf("%s: %w: %d are there", s.name, ErrBuyersLost, r.number())
	default:
		return nil, fmt.Errorf("%s: the reply begins %q", s.name, status)
	}
}

// Refusals of a misused or half-lost call; nothing was done.
var (
	// ErrBatchKnown says that a reserve call used a batch id twice: its message would have replaced the first one's.
	ErrBatchKnown = errors.New("batch id was used before")
	// ErrBuyersLost says that the chunks of a load are no longer all there: begin again with the next epoch.
	ErrBuyersLost = errors.New("buyers of the load are missing")
)

func decimal[T ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }
