package server

import "context"

// Rewrite writes the append-only file anew, and returns when that is done. It is what an operator does when a full disk has
// room again: Redis 7.0 cuts off what it could write in part only, and goes on behind the place where that ended. If it has
// begun the file by such a rewrite, which is then not opened for appending, a hole is left, and it does not start any more.
func (r *Redis) Rewrite(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	// One that is under way may have begun before there was room.
	if err := r.await(ctx, "done with its rewrite", r.hasNoRewrite); err != nil {
		return err
	}
	if _, err := Ask(ctx, r.Addr(), "BGREWRITEAOF"); err != nil {
		return err
	}
	return r.await(ctx, "rewritten", func(ctx context.Context) bool {
		return r.hasNoRewrite(ctx) && r.says(ctx, "persistence", "aof_last_bgrewrite_status:ok")
	})
}

func (r *Redis) hasNoRewrite(ctx context.Context) bool {
	return r.says(ctx, "persistence", "aof_rewrite_in_progress:0", "aof_rewrite_scheduled:0")
}
