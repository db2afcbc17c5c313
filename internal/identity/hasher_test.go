package identity_test

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestHasher(t *testing.T) {
	t.Parallel()
	t.Run("encodes in PHC format with its cost", func(t *testing.T) {
		t.Parallel()
		hash, err := identity.NewHasher(identity.HasherConfig{Cost: cheap()}).Hash(t.Context(), "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`).MatchString(hash) {
			t.Fatalf("hash is %q", hash)
		}
	})
	t.Run("knows the password again, also after the cost was raised", func(t *testing.T) {
		t.Parallel()
		hash, err := identity.NewHasher(identity.HasherConfig{Cost: cheap()}).Hash(t.Context(), "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		dearer := identity.NewHasher(identity.HasherConfig{Cost: identity.HashCost{MemoryKiB: 64, Passes: 2, Threads: 1}})
		expectMatch(t, dearer, hash, "correct horse", true)
		expectMatch(t, dearer, hash, "correct horsE", false)
	})
	t.Run("matches nothing against an empty hash", func(t *testing.T) {
		t.Parallel()
		expectMatch(t, identity.NewHasher(identity.HasherConfig{Cost: cheap()}), "", "", false)
	})
	t.Run("refuses a damaged hash before it spends memory on it", func(t *testing.T) {
		t.Parallel()
		hasher := identity.NewHasher(identity.HasherConfig{Cost: cheap()})
		good, err := hasher.Hash(t.Context(), "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{
			"x", "$2a$10$abc", strings.Replace(good, "m=8", "m=4000000000", 1), strings.Replace(good, "t=1", "t=0", 1),
			strings.Replace(good, "argon2id", "argon2i", 1), good + "$", good[:40], strings.Replace(good, "m=8", "m=08", 1),
		} {
			if _, err := hasher.Matches(t.Context(), bad, "correct horse"); err == nil {
				t.Errorf("%q was accepted", bad)
			}
		}
	})
}

func TestHasherBound(t *testing.T) {
	t.Parallel()
	t.Run("refuses as busy when the waiting room is full, and never computes more than allowed", func(t *testing.T) {
		t.Parallel()
		hasher := identity.NewHasher(identity.HasherConfig{
			Cost: identity.HashCost{MemoryKiB: 16 * 1024, Passes: 2, Threads: 1}, ConcurrentMax: 1, WaitingMax: 1,
		})
		const callers = 24
		answers := make(chan error, callers)
		var start, done sync.WaitGroup
		start.Add(1)
		for range callers {
			done.Go(func() {
				start.Wait()
				_, err := hasher.Hash(t.Context(), "correct horse")
				answers <- err
			})
		}
		start.Done()
		done.Wait()
		close(answers)
		served, refused := 0, 0
		for err := range answers {
			switch {
			case err == nil:
				served++
			case seckill.ReasonOf(err) == seckill.Busy:
				refused++
			default:
				t.Error(err)
			}
		}
		if served == 0 || refused == 0 {
			t.Fatalf("%d served, %d refused: want some of both", served, refused)
		}
	})
	t.Run("gives the place back when the caller leaves", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			hasher := identity.NewHasher(identity.HasherConfig{Cost: cheap(), ConcurrentMax: 1, WaitingMax: 1})
			gone, leave := context.WithCancel(t.Context())
			leave()
			for range 100 {
				_, _ = hasher.Hash(gone, "correct horse")
			}
			if _, err := hasher.Hash(t.Context(), "correct horse"); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func expectMatch(t *testing.T, hasher *identity.Hasher, hash, password string, want bool) {
	t.Helper()
	got, err := hasher.Matches(t.Context(), hash, password)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("matches is %t, want %t", got, want)
	}
}
