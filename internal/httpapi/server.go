package httpapi

import (
	"log/slog"
	"net/http"
	"time"
)

// Bounds of one connection. ReadTimeout may be shorter than a long poll: net/http lifts it once the request is read.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	idleTimeout       = 75 * time.Second
	headerBytesMax    = 16 << 10
	// answerMargin is for writing the answer after the longest handler.
	answerMargin = 5 * time.Second
)

// NewServer makes the server of the shoppers' listener. Whoever opens the listener serves and shuts it down.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return newServer(handler, log, waitMax+requestTimeout+answerMargin)
}

// NewOperatorServer makes the server of the operators' listener: an audit may take long.
func NewOperatorServer(handler http.Handler, log *slog.Logger) *http.Server {
	return newServer(handler, log, auditTimeout+answerMargin)
}

func newServer(handler http.Handler, log *slog.Logger, writeTimeout time.Duration) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytesMax,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
