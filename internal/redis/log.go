package redis

import (
	"context"
	"fmt"
	"log/slog"

	goredis "github.com/redis/go-redis/v9"
)

// LogTo sends what go-redis itself has to say (connections that fail, subscriptions that reconnect) to log instead of
// the process's standard error. The library has one logger for all clients, so only the composition root calls this.
func LogTo(log *slog.Logger) { goredis.SetLogger(libraryLog{log}) }

type libraryLog struct{ log *slog.Logger }

// Printf implements the library's logger. Every failure also reaches a caller as an error, hence the level.
func (l libraryLog) Printf(ctx context.Context, format string, v ...any) {
	l.log.DebugContext(ctx, fmt.Sprintf(format, v...))
}
