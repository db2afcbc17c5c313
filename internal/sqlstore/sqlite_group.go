package sqlstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// groupMax is how many transactions share a commit, so that nobody waits long for the others' statements.
	groupMax = 32
	// groupTimeout bounds what they take together.
	groupTimeout = 10 * time.Second

	savepoint = "one_of_the_group"
)

// commitGroup lets transactions that come while another one is committed share the next commit, and nothing is waited for.
// SQLite has one writer, and nearly all of a small transaction is the sync of its commit: with a crowd that pays and
// cancels, one by one, keepers would queue for seconds. Each is a savepoint of its own: what it writes is there as a whole or not
// at all, whatever becomes of the others before the commit. It sees what the others wrote before it, so nobody hears of anything
// before the commit, and when that fails of nothing else: "somebody has done it already" would be as untrue as "done".
type commitGroup struct {
	db *gorm.DB // the one writer

	mu      sync.Mutex
	waiting []*grouped
	busy    bool
}

// grouped is one transaction of a group.
type grouped struct {
	ctx      context.Context
	do       func(tx *gorm.DB) error
	err      error
	panicked any
	left     bool // before it began: it has seen nothing of the others
	done     chan struct{}
}

// transact runs do in a transaction, as Store.transact does.
func (g *commitGroup) transact(ctx context.Context, do func(tx *gorm.DB) error) error {
	t := &grouped{ctx: ctx, do: do, done: make(chan struct{})}
	g.join(t) //nolint:contextcheck // the group belongs to none of its callers
	<-t.done
	if t.panicked != nil {
		panic(t.panicked)
	}
	return t.err
}

func (g *commitGroup) join(t *grouped) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, t)
	if !g.busy {
		g.busy = true
		go g.run()
	}
}

// run lives while transactions are waiting.
func (g *commitGroup) run() {
	for group := g.take(); len(group) > 0; group = g.take() {
		g.commit(group)
		for _, t := range group {
			close(t.done)
		}
	}
}

func (g *commitGroup) take() []*grouped {
	g.mu.Lock()
	defer g.mu.Unlock()
	group := append([]*grouped(nil), g.waiting[:min(len(g.waiting), groupMax)]...)
	left := copy(g.waiting, g.waiting[len(group):])
	clear(g.waiting[left:])
	g.waiting = g.waiting[:left]
	g.busy = len(group) > 0
	return group
}

// commit decides every transaction of the group. Nobody's context is the group's: who leaves must not take the others along.
func (g *commitGroup) commit(group []*grouped) {
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	tx := g.db.WithContext(ctx).Begin()
	if tx.Error != nil {
		err := dbError(tx.Error)
		failAll(group, err, err)
		return
	}
	for _, t := range group {
		if err := t.run(tx); err != nil {
			tx.Rollback()
			failAll(group, groupFailed(err), groupFailed(err))
			return
		}
	}
	if err := tx.Commit().Error; err != nil {
		failAll(group, commitError(err), groupFailed(err))
	}
}

// failAll tells those who had succeeded and those who had failed that the group has failed. The latter may have failed because of
// what is gone now, and have written nothing whatever became of the commit.
func failAll(group []*grouped, succeeded, failed error) {
	for _, t := range group {
		switch {
		case t.left:
		case t.err != nil:
			t.err = failed
		default:
			t.err = succeeded
		}
	}
}

// groupFailed keeps only the words: nobody may take the error for that of his own statement.
func groupFailed(err error) error {
	return fmt.Errorf("%w: its group failed: %s", seckill.ErrTransient, err.Error())
}

// run returns an error when the whole group has to be rolled back.
func (t *grouped) run(tx *gorm.DB) error {
	if err := t.ctx.Err(); err != nil {
		t.err, t.left = dbError(err), true
		return nil
	}
	if err := tx.Exec("SAVEPOINT " + savepoint).Error; err != nil {
		return err
	}
	if t.err = dbError(t.attempt(tx.WithContext(context.WithoutCancel(t.ctx)))); t.err != nil {
		// Some errors end the whole transaction; then there is no savepoint any more, and this says so.
		if err := tx.Exec("ROLLBACK TO " + savepoint).Error; err != nil {
			return fmt.Errorf("%w, after %s", err, t.err.Error())
		}
	}
	return tx.Exec("RELEASE " + savepoint).Error
}

// attempt keeps a panic for who called.
func (t *grouped) attempt(tx *gorm.DB) (err error) {
	defer func() {
		if value := recover(); value != nil {
			t.panicked, err = value, fmt.Errorf("panic: %v", value)
		}
	}()
	return t.do(tx)
}
