package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// refusals are the error replies of a server that carried nothing out. OOM, MISCONF and NOREPLICAS belong here because
// Redis raises them at the first write of a script only, and our scripts decide before they write.
func refusals() []string {
	return []string{
		"LOADING", "CLUSTERDOWN", "READONLY", "MASTERDOWN", "TRYAGAIN", "MOVED", "ASK", "BUSY", "OOM", "MISCONF",
		"NOREPLICAS", "NOAUTH", "WRONGPASS", "NOPERM", "NOSCRIPT",
	}
}

// transport wraps what go-redis returned: seckill.ErrUnavailable when nothing can have been done.
func transport(doing string, err error) error {
	if untouched(err) {
		return fmt.Errorf("%s: %w: %w", doing, seckill.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// untouched says that the server did nothing. When in doubt it is false.
func untouched(err error) bool {
	if errors.Is(err, goredis.ErrPoolTimeout) || errors.Is(err, goredis.ErrPoolExhausted) || errors.Is(err, goredis.ErrClosed) {
		return true
	}
	if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" {
		return true
	}
	if lookup := (*net.DNSError)(nil); errors.As(err, &lookup) {
		return true
	}
	var reply goredis.Error
	if !errors.As(err, &reply) {
		return false
	}
	code, _, _ := strings.Cut(reply.Error(), " ")
	return slices.Contains(refusals(), code) || strings.HasPrefix(reply.Error(), "ERR max number of clients reached")
}

// isReply says that a server answered, if only to refuse.
func isReply(err error) bool {
	var reply goredis.Error
	return errors.As(err, &reply)
}

// notBegun is the error of a call whose context had ended before it was sent.
func notBegun(ctx context.Context, doing string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w: %w", doing, seckill.ErrUnavailable, err)
	}
	return nil
}
