package identity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// JWKSEveryDefault is how often the key file is looked at.
	JWKSEveryDefault = 10 * time.Second
	jwksBytesMax     = 1 << 20
)

// JWKSFile keeps Keys equal to a JWKS file.
type JWKSFile struct {
	path  string
	every time.Duration
	clock seckill.Clock
	log   *slog.Logger
	keys  *Keys
	// last is what was read last, good or bad: an unchanged file is not parsed, nor complained about, again.
	last []byte
}

// OpenJWKS reads the file, which must be good now; Run keeps looking at it. every 0 means JWKSEveryDefault.
func OpenJWKS(path string, every time.Duration, clock seckill.Clock, log *slog.Logger) (*JWKSFile, error) {
	if every <= 0 {
		every = JWKSEveryDefault
	}
	file := &JWKSFile{path: path, every: every, clock: clock, log: log, keys: &Keys{}}
	if err := file.Reload(); err != nil {
		return nil, err
	}
	return file, nil
}

// Keys are the keys of the file's last good content.
func (f *JWKSFile) Keys() *Keys { return f.keys }

// Run reloads until ctx ends. A broken file is logged once and the keys before it stay in force. The content is compared,
// not the modification time, which does not move when a mounted secret is swapped within a second.
func (f *JWKSFile) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.clock.After(f.every):
		}
		if err := f.Reload(); err != nil {
			f.log.Error("token keys not reloaded, the old ones stay in force", "file", f.path, "error", err)
		}
	}
}

// Reload reads the file once. It is not safe for concurrent use.
func (f *JWKSFile) Reload() error {
	content, err := readBounded(f.path, jwksBytesMax)
	if err != nil {
		return fmt.Errorf("read token keys: %w", err)
	}
	if f.last != nil && bytes.Equal(content, f.last) {
		return nil
	}
	f.last = content
	set, skipped, err := parseJWKS(content)
	if err != nil {
		return fmt.Errorf("read token keys: %w", err)
	}
	for _, why := range skipped {
		f.log.Warn("token key ignored", "file", f.path, "why", why)
	}
	f.keys.current.Store(set)
	f.log.Info("token keys loaded", "file", f.path, "keys", len(set.keys))
	return nil
}

func readBounded(path string, bytesMax int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, bytesMax+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > bytesMax {
		return nil, errors.New("the file is too large")
	}
	return content, nil
}
