package app

import (
	"io"
	"log/slog"
	"net"

	"github.com/seckill-dev/seckill/internal/redis"
)

// Logger is the configured one, writing to w.
func (c *Config) Logger(w io.Writer) *slog.Logger {
	var level slog.Level
	// The level was checked when the configuration was loaded.
	_ = level.UnmarshalText([]byte(c.Log.Level))
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewTextHandler(w, options)
	if c.Log.Format == "json" {
		handler = slog.NewJSONHandler(w, options)
	}
	if buffer, ok := w.(*LogBuffer); ok {
		handler = hasty{handler, buffer}
	}
	return slog.New(handler)
}

// LogLibraries sends what libraries say by themselves to log instead of standard error. They have one logger for the whole
// process, which is no System's to change: main calls this once, before Open.
func LogLibraries(log *slog.Logger) { redis.LogTo(log) }

// AdminURL is where a process with this configuration serves operators, seen from its own machine.
func (c *Config) AdminURL() string { return localURL(c.AdminListen) }

// URL is where it serves shoppers, seen from its own machine.
func (c *Config) URL() string { return localURL(c.Listen) }

func localURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
