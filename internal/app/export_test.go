package app

import (
	"log/slog"
	"testing"
)

// EmptyRedis makes Redis lose everything at once, as FLUSHALL does.
func (b *Backend) EmptyRedis() { b.emptyRedis() }

// AdmitShards opens the shards alone, as every process does at its start.
func AdmitShards(t *testing.T, config Config, log *slog.Logger) (*Backend, error) {
	t.Helper()
	b := &Backend{}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	doors, err := config.shardEntrances()
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.admitShards(t.Context(), config, doors, log)
	return b, err
}
