package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func newAccounts(t *testing.T) (*identity.Accounts, *identity.Tokens, *shelf) {
	t.Helper()
	tokens := newTokens(t, newHandClock(), secret("a"))
	store := &shelf{rows: map[seckill.UserID]seckill.Account{}}
	hasher := identity.NewHasher(identity.HasherConfig{Cost: cheap()})
	return identity.NewAccounts(store, &counter{}, hasher, tokens, time.Minute), tokens, store
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	t.Run("gives whoever registered a token that speaks for them", func(t *testing.T) {
		t.Parallel()
		accounts, tokens, store := newAccounts(t)
		account, err := accounts.Register(t.Context(), "ada", "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		if account.ID == 0 || account.ID.Bucket() != seckill.UserID("ada").Bucket() {
			t.Errorf("id %s is not of the user's bucket", account.ID)
		}
		if strings.Contains(store.rows["ada"].Hash, "horse") {
			t.Error("the password was stored")
		}
		grant, err := accounts.Login(t.Context(), "ada", "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		user, err := tokens.Verify(grant.Token)
		if err != nil || user != "ada" || grant.ExpiresIn != time.Minute {
			t.Fatalf("user %q, lasts %s, error %v", user, grant.ExpiresIn, err)
		}
	})
}

func TestLogin(t *testing.T) {
	t.Parallel()
	t.Run("says the same of a wrong name and a wrong password", func(t *testing.T) {
		t.Parallel()
		accounts, _, _ := newAccounts(t)
		if _, err := accounts.Register(t.Context(), "ada", "correct horse"); err != nil {
			t.Fatal(err)
		}
		_, wrongName := accounts.Login(t.Context(), "bob", "correct horse")
		_, wrongPassword := accounts.Login(t.Context(), "ada", "battery staple")
		if seckill.ReasonOf(wrongName) != seckill.Unauthenticated || wrongName.Error() != wrongPassword.Error() {
			t.Fatalf("%v, %v", wrongName, wrongPassword)
		}
	})
}

func TestRegister(t *testing.T) {
	t.Parallel()
	t.Run("refuses a name that is taken and keeps the first password", func(t *testing.T) {
		t.Parallel()
		accounts, _, _ := newAccounts(t)
		if _, err := accounts.Register(t.Context(), "ada", "correct horse"); err != nil {
			t.Fatal(err)
		}
		_, err := accounts.Register(t.Context(), "ada", "battery staple")
		if seckill.ReasonOf(err) != seckill.Conflict {
			t.Fatal(err)
		}
		if _, err := accounts.Login(t.Context(), "ada", "correct horse"); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ username, password, field string }{
		"refuses an empty name":              {"", "correct horse", "username"},
		"refuses a short name":               {"ab", "correct horse", "username"},
		"refuses a long name":                {strings.Repeat("a", 65), "correct horse", "username"},
		"refuses a name with a separator":    {"a,b;c", "correct horse", "username"},
		"refuses a short password":           {"ada", "1234567", "password"},
		"refuses a long password":            {"ada", strings.Repeat("x", 129), "password"},
		"counts characters instead of bytes": {"ada", "äöüäöü1", "password"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			accounts, _, store := newAccounts(t)
			_, registered := accounts.Register(t.Context(), c.username, c.password)
			_, loggedIn := accounts.Login(t.Context(), c.username, c.password)
			for _, err := range []error{registered, loggedIn} {
				var refusal *seckill.Refusal
				if !errors.As(err, &refusal) || refusal.Reason != seckill.Invalid || refusal.Field != c.field {
					t.Errorf("error is %v, want invalid %s", err, c.field)
				}
			}
			if len(store.rows) != 0 {
				t.Error("an account was made")
			}
		})
	}
}

func TestOperators(t *testing.T) {
	t.Parallel()
	ada := identity.OperatorKey{Name: "ada", Key: "ada-0123456789-0123456789"}
	bob := identity.OperatorKey{Name: "bob", Key: "bob-0123456789-0123456789"}
	t.Run("names whoever holds the key", func(t *testing.T) {
		t.Parallel()
		operators, err := identity.NewOperators([]identity.OperatorKey{ada, bob})
		if err != nil {
			t.Fatal(err)
		}
		if actor, err := operators.Actor(bob.Key); err != nil || actor != "operator:bob" {
			t.Fatalf("%q, %v", actor, err)
		}
		for _, key := range []string{"", "bob", bob.Key + "x", strings.ToUpper(bob.Key)} {
			if _, err := operators.Actor(key); seckill.ReasonOf(err) != seckill.Unauthenticated {
				t.Errorf("%q: %v", key, err)
			}
		}
	})
	t.Run("refuses keys that are short, shared, doubled or nobody's", func(t *testing.T) {
		t.Parallel()
		for _, keys := range [][]identity.OperatorKey{
			nil,
			{{Name: "ada", Key: "short"}},
			{{Name: "", Key: ada.Key}},
			{{Name: "a b", Key: ada.Key}},
			{ada, {Name: "ada", Key: bob.Key}},
			{ada, {Name: "bob", Key: ada.Key}},
		} {
			if _, err := identity.NewOperators(keys); err == nil {
				t.Errorf("%v was accepted", keys)
			}
		}
	})
}
