package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/seckill-dev/seckill/internal/archive"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// ArchiveExport says where the rows of a sale go; Path "" writes them nowhere. An export of the same sale that is there is
// replaced, since the new one has all that it has: whoever was cut off may repeat what he asked for. Any other file is only
// with Force.
type ArchiveExport struct {
	Path  string
	Force bool
}

// Archived is what was put away; Replaced says that the export took the place of another file.
type Archived struct {
	archive.Result
	Replaced bool
}

// Archive puts a sale away on the stores themselves: a data folder that no process has open (ErrDataInUse when one has),
// or shared servers, whoever uses them.
func Archive(
	ctx context.Context, config Config, sale seckill.ID, actor string, export ArchiveExport, log *slog.Logger,
) (result Archived, err error) {
	if config.Backend == BackendEmbedded {
		if err := config.checkFolder(); err != nil {
			return Archived{}, err
		}
	}
	b, err := openBackend(ctx, config, log)
	if err != nil {
		return Archived{}, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	err = b.whileStaged(ctx, func(ctx context.Context) error {
		result, err = b.archive(ctx, sale, actor, export, log)
		return err
	})
	return result, err
}

func (b *Backend) archive(
	ctx context.Context, sale seckill.ID, actor string, export ArchiveExport, log *slog.Logger,
) (result Archived, err error) {
	service := archive.New(archive.Ports{
		Catalog: b.Catalog, Stocks: b.Stocks, Books: b.Books, Archives: b.Archives, Lent: b.Lent, DeadLetters: b.DeadLetters,
		Shards: b.Shards, Audit: b.findings(log), Log: log,
	})
	if export.Path == "" {
		result.Result, err = service.Run(ctx, sale, actor, nil)
		return result, err
	}
	file, err := createExport(export, sale)
	if err != nil {
		return Archived{}, err
	}
	defer func() { err = errors.Join(err, file.close()) }()
	result.Result, err = service.Run(ctx, sale, actor, file)
	result.Replaced = file.replaced
	return result, err
}

// findings has a sale audited, each finding in a sentence.
func (b *Backend) findings(log *slog.Logger) archive.Auditor {
	return func(ctx context.Context, sale seckill.ID) ([]string, error) {
		report, err := b.audit(log).Run(ctx, &sale)
		if err != nil {
			return nil, err
		}
		var sentences []string
		for _, f := range report.Findings {
			sentences = append(sentences, fmt.Sprintf("%s %s %s: %s", f.ID, f.Table, f.Key, f.Detail))
		}
		return sentences, nil
	}
}

// whileStaged does something while the backend's own stages run: the lease of the ids is renewed, and given back.
func (b *Backend) whileStaged(ctx context.Context, do func(context.Context) error) error {
	staged, stop := context.WithCancel(ctx)
	failures := make([]error, len(b.stages))
	var running sync.WaitGroup
	for i, stage := range b.stages {
		running.Go(func() { failures[i] = stage.Run(staged) })
	}
	err := do(ctx)
	stop()
	running.Wait()
	return errors.Join(err, errors.Join(failures...))
}
