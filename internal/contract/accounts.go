package contract

import (
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Accounts is the suite of seckill.Accounts.
func Accounts(t *testing.T, open func(t *testing.T) seckill.Accounts) {
	t.Helper()
	accountsAreFound(t, open)
	accountNamesAreTaken(t, open)
}

func createAccount(t *testing.T, accounts seckill.Accounts, account seckill.Account) bool {
	t.Helper()
	created, err := accounts.Create(t.Context(), account)
	must(t, err)
	return created
}

func accountsAreFound(t *testing.T, open func(t *testing.T) seckill.Accounts) {
	t.Helper()
	t.Run("finds what was created", func(t *testing.T) {
		t.Parallel()
		accounts := open(t)
		want := seckill.Account{ID: 5, User: "ann", Hash: "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA"}
		if !createAccount(t, accounts, want) {
			t.Fatal("a free name was refused")
		}
		got, err := accounts.Find(t.Context(), "ann")
		must(t, err)
		if got != want {
			t.Fatalf("got %+v", got)
		}
	})
	t.Run("misses who does not exist", func(t *testing.T) {
		t.Parallel()
		_, err := open(t).Find(t.Context(), "nobody")
		wantMissing(t, err)
	})
}

func accountNamesAreTaken(t *testing.T, open func(t *testing.T) seckill.Accounts) {
	t.Helper()
	t.Run("keeps the first account of a name", func(t *testing.T) {
		t.Parallel()
		accounts := open(t)
		createAccount(t, accounts, seckill.Account{ID: 1, User: "ann", Hash: "first"})
		if createAccount(t, accounts, seckill.Account{ID: 2, User: "ann", Hash: "second"}) {
			t.Fatal("a taken name was given again")
		}
		got, err := accounts.Find(t.Context(), "ann")
		must(t, err)
		if got.ID != 1 || got.Hash != "first" {
			t.Fatalf("the second account replaced the first: %+v", got)
		}
	})
	t.Run("takes names that differ in case for two", func(t *testing.T) {
		t.Parallel()
		accounts := open(t)
		if !createAccount(t, accounts, seckill.Account{ID: 1, User: "ann"}) || !createAccount(t, accounts, seckill.Account{ID: 2, User: "Ann"}) {
			t.Fatal("one of two names was refused")
		}
	})
	t.Run("gives a name to exactly one of several callers", func(t *testing.T) {
		t.Parallel()
		accounts := open(t)
		won := race(t, 8, func(caller int) (bool, error) {
			return accounts.Create(t.Context(), seckill.Account{ID: seckill.ID(caller + 1), User: "ann"})
		})
		if won != 1 {
			t.Fatalf("%d callers have the name", won)
		}
	})
}
