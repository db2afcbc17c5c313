package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// pageSize bounds what is in memory of claims or orders.
	pageSize = 500
	// keysLiveFor is how long Redis still answers for the item: whoever has just read them is not cut off.
	keysLiveFor = time.Second
)

// Stocks reads stock rows.
type Stocks interface {
	Get(ctx context.Context, item seckill.ID) (seckill.Stock, error)
}

// Lent is what Redis has of an item.
type Lent interface {
	States(ctx context.Context, items []seckill.ID) ([]seckill.LentState, error)
	Expire(ctx context.Context, item seckill.ID, after time.Duration) error
}

// Auditor audits one sale and says in sentences what does not add up.
type Auditor func(ctx context.Context, sale seckill.ID) (findings []string, err error)

// Ports are what an archive works on. Log may be nil.
type Ports struct {
	Catalog     seckill.Catalog
	Stocks      Stocks
	Books       seckill.Books
	Archives    seckill.Archives
	Lent        Lent
	DeadLetters seckill.DeadLetters
	Shards      seckill.Shards
	Audit       Auditor
	Log         *slog.Logger
}

// Export takes what happened as lines of JSON. Commit makes them last, whole; without it nothing is left of them.
type Export interface {
	io.Writer
	Commit() error
}

// Service is the use case.
type Service struct{ ports Ports }

// New returns the use case.
func New(ports Ports) *Service {
	if ports.Log == nil {
		ports.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{ports}
}

// Result is what was put away.
type Result struct {
	Summary Summary
	// At is when that was; Before says that it was by an earlier archive, and Changed that the summary of that one was not
	// true any more.
	At      time.Time
	Before  bool
	Changed bool
	// Lines were written to the export.
	Lines int64
}

// Run puts one sale away. export may be nil. Refused, with what is missing, when the sale is not over or something is still
// owed, or when it does not add up.
func (s *Service) Run(ctx context.Context, id seckill.ID, actor string, export Export) (Result, error) {
	sale, err := s.ended(ctx, id)
	if err != nil {
		return Result{}, err
	}
	if err := s.refuseDebts(ctx, sale); err != nil {
		return Result{}, err
	}
	seen, err := s.seen(ctx, id)
	if err != nil {
		return Result{}, err
	}
	pass := newPass(s.ports, sale, export)
	if err := pass.run(ctx); err != nil {
		return Result{}, fmt.Errorf("archive sale %s: %w", id, err)
	}
	if err := refuse(sale, pass.debts); err != nil {
		return Result{}, err
	}
	if err := s.refuseFindings(ctx, sale); err != nil {
		return Result{}, err
	}
	if export != nil {
		if err := export.Commit(); err != nil {
			return Result{}, fmt.Errorf("archive sale %s: %w", id, err)
		}
	}
	return s.keep(ctx, actor, seen, pass)
}

// seen is the summary that is kept before anything is counted, nil when there is none.
func (s *Service) seen(ctx context.Context, id seckill.ID) ([]byte, error) {
	kept, err := s.ports.Archives.Summary(ctx, id)
	if err != nil && !errors.Is(err, seckill.ErrNotFound) {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return kept.Body, nil
}

// ended reads the sale and refuses one that is not over.
func (s *Service) ended(ctx context.Context, id seckill.ID) (seckill.Sale, error) {
	sale, err := s.ports.Catalog.Sale(ctx, id)
	if errors.Is(err, seckill.ErrNotFound) {
		return seckill.Sale{}, seckill.Refuse(seckill.NotFound, fmt.Sprintf("there is no sale %s", id))
	}
	if err != nil {
		return seckill.Sale{}, fmt.Errorf("archive: %w", err)
	}
	if sale.State != seckill.SaleEnded {
		return seckill.Sale{}, seckill.Refuse(seckill.Conflict, fmt.Sprintf("sale %s is %s; only an ended sale is put away", id, sale.State))
	}
	return sale, nil
}

func (s *Service) refuseFindings(ctx context.Context, sale seckill.Sale) error {
	findings, err := s.ports.Audit(ctx, sale.ID)
	if err != nil {
		return fmt.Errorf("archive sale %s: %w", sale.ID, err)
	}
	return refuse(sale, findings)
}

// keep writes the summary, unless the one that was seen says the same, then drops what is of no more use. Who was cut off in
// between drops it the next time.
func (s *Service) keep(ctx context.Context, actor string, seen []byte, pass *pass) (Result, error) {
	sale := pass.sale
	body, err := json.Marshal(pass.summary)
	if err != nil {
		return Result{}, fmt.Errorf("archive sale %s: encode the summary: %w", sale.ID, err)
	}
	kept, wrote, err := s.ports.Archives.Keep(ctx, sale.ID, seen, body, seckill.Act{
		Actor: actor, Action: "sale.archive", Target: sale.ID, Before: string(seen), After: string(body),
	})
	if err != nil {
		return Result{}, fmt.Errorf("archive: %w", err)
	}
	if !bytes.Equal(kept.Body, body) {
		return Result{}, seckill.Refuse(seckill.Conflict,
			fmt.Sprintf("sale %s was put away by somebody else meanwhile, with other figures; run this again", sale.ID))
	}
	result := Result{
		Summary: pass.summary, At: kept.At, Before: seen != nil || !wrote, Changed: seen != nil && wrote, Lines: pass.lines,
	}
	if err := s.drop(ctx, sale); err != nil {
		return Result{}, err
	}
	s.ports.Log.Info("sale archived", "sale", sale.ID, "before", result.Before, "changed", result.Changed, "lines", result.Lines)
	return result, nil
}

func (s *Service) drop(ctx context.Context, sale seckill.Sale) error {
	for _, item := range sale.Items {
		if err := s.ports.Lent.Expire(ctx, item.ID, keysLiveFor); err != nil && !errors.Is(err, seckill.ErrNotLive) {
			return fmt.Errorf("archive: drop the keys of item %s: %w", item.ID, err)
		}
		if err := s.ports.Archives.Forget(ctx, item.ID); err != nil {
			return fmt.Errorf("archive: %w", err)
		}
	}
	return nil
}
