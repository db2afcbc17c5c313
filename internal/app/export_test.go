package app

// EmptyRedis makes Redis lose everything at once, as FLUSHALL does.
func (b *Backend) EmptyRedis() { b.emptyRedis() }
