package app

import (
	"log/slog"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
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

// OpenBooks opens the tables of a system, whoever else has them open, for reading.
func OpenBooks(t *testing.T, config Config) (seckill.Books, seckill.Shards) {
	t.Helper()
	b, log := &Backend{}, slog.New(slog.DiscardHandler)
	t.Cleanup(func() { _ = b.Close() })
	var err error
	if config.Backend == BackendServices {
		var doors []entrance
		if doors, err = config.shardEntrances(); err == nil {
			_, err = b.openShards(t.Context(), config, doors, nil, log)
		}
	} else {
		_, err = b.openTables(t.Context(), config, log)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Books, b.Shards
}

// Export is a file that an archive writes.
type Export interface {
	Write(text []byte) (int, error)
	Commit() error
	Close() error
}

// CreateExport begins one as Archive does.
func CreateExport(to ArchiveExport, sale seckill.ID) (Export, error) {
	f, err := createExport(to, sale)
	if err != nil {
		return nil, err
	}
	return closing{f}, nil
}

type closing struct{ *exportFile }

func (c closing) Close() error { return c.close() }
