package sqlstore_test

import "testing"

// Around the lengths in which statements are kept or cut.
func TestBatchesOfAnyLengthAreWritten(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, e engine) {
		t.Helper()
		store := e.open(t, 1)
		bench := newBench(t, store, 1<<20, 1)
		want := 0
		for _, size := range []int{1, 9, 10, 11, 99, 100, 101, 237, 501, 10} {
			bench.settleAtOnce(t, bench.message(t, size))
			want += size
			if claims, events := rowsIn(t, store, 0, "claims WHERE ordered = 1"), rowsIn(t, store, 0, "order_events"); claims != want || events != want {
				t.Fatalf("after %d rows: %d claims and %d events, want %d", size, claims, events, want)
			}
		}
	})
}
