package main

import (
	"context"
	"strconv"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	sideBatched = "reserve_batched"
	sideSingle  = "reserve_single"
)

// reserve calls Redis as the product does, and once per reservation.
func (b *bench) reserve(ctx context.Context) error {
	database, err := b.stage.TakeDatabase(ctx)
	if err != nil {
		return err
	}
	defer b.stage.ReturnDatabase(database)
	for range b.settings.rounds {
		for side, batch := range map[string]int{sideBatched: seckill.ReserveBatchMax, sideSingle: 1} {
			err := b.measureProgram(ctx, side, "reservations/s", b.programs[reserveFolder],
				"--redis", b.stage.Redis.Addr(), "--database", strconv.Itoa(database), "--callers", strconv.Itoa(callers),
				"--batch", strconv.Itoa(batch), "--for", b.settings.calls.String())
			if err != nil {
				return err
			}
		}
	}
	return nil
}
