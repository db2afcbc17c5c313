package app

import (
	"io"
	"log/slog"
	"net"
)

// Logger is the configured one, writing to w.
func (c *Config) Logger(w io.Writer) *slog.Logger {
	var level slog.Level
	// The level was checked when the configuration was loaded.
	_ = level.UnmarshalText([]byte(c.Log.Level))
	options := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

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
