package httpapi

import (
	"context"
	"time"
)

// NewPatience is a request's deadline, and its end.
func NewPatience(request context.Context, within time.Duration) (ctx context.Context, end func()) {
	p := newPatience(request, within)
	return p, p.end
}
