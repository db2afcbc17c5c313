package purchase

import (
	"log/slog"
	"time"
)

// troublePatience is how long a background job may fail before somebody is called. A call that a busy server answered too
// late is made again in a moment and nobody notices; after about a second shoppers do.
const troublePatience = time.Second

// trouble is how long a background job has been failing. What is worth a warning is logged when it begins to be and when it
// is over, not each time.
type trouble struct {
	log   *slog.Logger
	since time.Time // zero: the job works
	told  bool
}

func (t *trouble) note(now time.Time, err error) {
	switch {
	case err == nil && t.told:
		t.log.Info("a background job works again", "after", now.Sub(t.since))
		t.since, t.told = time.Time{}, false
	case err == nil:
		t.since = time.Time{}
	case t.since.IsZero():
		t.since = now
		t.log.Debug("a background job failed", "error", err)
	case !t.told && now.Sub(t.since) >= troublePatience:
		t.told = true
		t.log.Warn("a background job keeps failing", "error", err)
	}
}
