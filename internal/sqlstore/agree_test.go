package sqlstore_test

import (
	"testing"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// agreeShards: users of the items' own shard and of another one.
const agreeShards = 2

func TestEnginesAgree(t *testing.T) {
	t.Parallel()
	stores := engines()
	open := func(e engine) func(t *testing.T) contract.SQL {
		return func(t *testing.T) contract.SQL {
			t.Helper()
			c := e.fresh(t, agreeShards)
			c.Tells = true
			return everything(leased(t, c))
		}
	}
	contract.SQLAgree(t, open(stores[0]), open(stores[1]))
}

func everything(store *sqlstore.Store) contract.SQL {
	return contract.SQL{
		Ledger: ledger(store), Payments: sqlstore.Payments{Store: store}, Marks: sqlstore.Marks{Store: store},
		Events: sqlstore.Events{Store: store}, SetDeadline: till(store).SetDeadline,
	}
}
