package contract

import (
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Marks is the suite of seckill.Marks.
func Marks(t *testing.T, open func(t *testing.T) (seckill.Marks, seckill.Shards)) {
	t.Helper()
	start := func(t *testing.T) marksCase {
		t.Helper()
		marks, shards := open(t)
		now, err := marks.Now(t.Context(), 0)
		must(t, err)
		return marksCase{Marks: marks, shards: shards, t: t, now: now}
	}
	marksRise(t, start)
	heartbeatsTell(t, start)
}

// marksCase is one test's marks, with answers instead of errors.
type marksCase struct {
	seckill.Marks
	shards seckill.Shards
	t      *testing.T
	now    time.Time
}

// item is an item of shard 0.
func (c marksCase) item() seckill.ID { return (&numbers{}).next(bucketOn(c.shards, 0)) }

// beat writes one beat of a process, begun so long after the test.
func (c marksCase) beat(shard int, process seckill.ID, after time.Duration, left bool, marks ...seckill.Mark) {
	c.t.Helper()
	must(c.t, c.Beat(c.t.Context(), shard, seckill.Beat{
		Incarnation: process, Begun: c.now.Add(after), Left: left, Marks: marks,
	}))
}

func (c marksCase) wantHighest(item seckill.ID, epoch, want int64) {
	c.t.Helper()
	got, err := c.Highest(c.t.Context(), item, epoch)
	must(c.t, err)
	if got != want {
		c.t.Fatalf("the highest mark of epoch %d is %d, want %d", epoch, got, want)
	}
}

func (c marksCase) wantProcesses(shard int, since time.Duration, want ...seckill.ID) {
	c.t.Helper()
	beats, err := c.Heartbeats(c.t.Context(), shard, c.now.Add(since))
	must(c.t, err)
	var got []seckill.ID
	for _, beat := range beats {
		got = append(got, beat.Incarnation)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		c.t.Fatalf("heartbeats of %v, want %v", got, want)
	}
}

func marksRise(t *testing.T, start func(t *testing.T) marksCase) {
	t.Helper()
	t.Run("is 0 without a mark", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		c.wantHighest(c.item(), 1, 0)
	})
	t.Run("never lets a mark fall within an epoch", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		item := c.item()
		for i, sold := range []int64{5, 9, 7} {
			c.beat(0, 1, time.Duration(i), false, seckill.Mark{Item: item, Epoch: 3, Sold: sold})
		}
		c.wantHighest(item, 3, 9)
	})
	t.Run("begins a new epoch with its own figure and ignores a late one of the old", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		item := c.item()
		c.beat(0, 1, 0, false, seckill.Mark{Item: item, Epoch: 3, Sold: 50})
		c.beat(0, 1, 1, false, seckill.Mark{Item: item, Epoch: 4, Sold: 2})
		c.beat(0, 1, 2, false, seckill.Mark{Item: item, Epoch: 3, Sold: 60})
		c.wantHighest(item, 4, 2)
		c.wantHighest(item, 3, 0)
	})
	t.Run("takes the highest over all processes, item by item", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		item := c.item()
		c.beat(0, 1, 0, false, seckill.Mark{Item: item, Epoch: 1, Sold: 5}, seckill.Mark{Item: item + 1, Epoch: 1, Sold: 99})
		c.beat(0, 2, 0, false, seckill.Mark{Item: item, Epoch: 1, Sold: 8})
		c.wantHighest(item, 1, 8)
	})
	t.Run("writes more marks than one statement carries", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		item := c.item()
		var marks []seckill.Mark
		for i := range int64(1200) {
			marks = append(marks, seckill.Mark{Item: item + seckill.ID(1199-i), Epoch: 1, Sold: i + 1})
		}
		c.beat(0, 1, 0, false, marks...)
		c.wantHighest(item, 1, 1200)
		c.wantHighest(item+1199, 1, 1)
		c.wantProcesses(0, -time.Second, 1)
	})
}

func heartbeatsTell(t *testing.T, start func(t *testing.T) marksCase) {
	t.Helper()
	t.Run("tells each shard's heartbeats apart", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		for shard := range c.shards.Count() {
			c.wantProcesses(shard, -time.Second)
			c.beat(shard, seckill.ID(shard+1), 0, false)
			c.wantProcesses(shard, -time.Second, seckill.ID(shard+1))
		}
	})
	t.Run("returns those that began after the moment", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		c.beat(0, 1, time.Second, false)
		c.beat(0, 2, 2*time.Second, false)
		c.wantProcesses(0, time.Second, 2)
	})
	t.Run("keeps the latest beginning, and who left stays gone", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		c.beat(0, 1, 2*time.Second, true)
		c.beat(0, 1, time.Second, false)
		beats, err := c.Heartbeats(t.Context(), 0, c.now)
		must(t, err)
		want := seckill.Heartbeat{Incarnation: 1, Begun: c.now.Add(2 * time.Second), Left: true}
		if len(beats) != 1 || beats[0] != want {
			t.Fatalf("got %+v, want %+v", beats, want)
		}
	})
	t.Run("forgets the silent with all their marks and nobody else", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		silent, talking := c.item(), c.item()+1
		c.beat(0, 1, time.Second, false, seckill.Mark{Item: silent, Epoch: 1, Sold: 5})
		c.beat(0, 2, 2*time.Second, false, seckill.Mark{Item: talking, Epoch: 1, Sold: 6})
		must(t, c.Forget(t.Context(), 0, c.now.Add(2*time.Second)))
		c.wantProcesses(0, 0, 2)
		c.wantHighest(silent, 1, 0)
		c.wantHighest(talking, 1, 6)
	})
	t.Run("reads the database's clock", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		eventually(t, "the clock moves on", func() bool {
			now, err := c.Now(t.Context(), c.shards.Count()-1)
			must(t, err)
			return now.After(c.now)
		})
	})
}
