package sqlstore

import (
	"context"
	"errors"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// IDs makes ids.
type IDs struct {
	store *Store
	alone bool
}

var _ seckill.IDs = (*IDs)(nil)

func newIDs(store *Store, alone bool) *IDs { return &IDs{store: store, alone: alone} }

// Acquire leases a node number.
func (ids *IDs) Acquire(context.Context) error { return nil }

// Next implements seckill.IDs.
func (ids *IDs) Next(int) (seckill.ID, error) { return 0, errors.New("not yet") }
