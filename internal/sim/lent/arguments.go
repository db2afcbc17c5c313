package lent

import (
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// In the words of internal/redis.
func errBatchKnown() error { return errors.New("batch id was used before") }

func errBuyersLost(there int) error {
	return fmt.Errorf("buyers of the load are missing: %d are there", there)
}

func checkGate(gate seckill.Gate) error {
	if gate.Server.RunID == "" || gate.Server.ReplicationID == "" {
		return errors.New("a gate needs the server it is for")
	}
	return nil
}
