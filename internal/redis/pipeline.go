package redis

import (
	"context"
	"errors"

	goredis "github.com/redis/go-redis/v9"
)

// pipelineMax is how many calls go out in one round trip.
const pipelineMax = 128

type commandLine func(ctx context.Context, keys []string, args []any) once

// pipeline makes several calls of one script in one round trip; line says keys and arguments of the nth. The error is that
// of the first call that failed, and then nothing is known of the others.
func (l *Lent) pipeline(ctx context.Context, s script, count int, line func(n int) ([]string, []any)) ([]once, error) {
	if err := notBegun(ctx, s.name); err != nil {
		return nil, err
	}
	cmds, err := l.send(ctx, s.call, count, line)
	if goredis.HasErrorPrefix(err, "NOSCRIPT") {
		// A restart or SCRIPT FLUSH took the script; in a cluster perhaps on one node only. Once with its text.
		cmds, err = l.send(ctx, s.withText, count, line)
	}
	if err != nil {
		return nil, transport(s.name, err)
	}
	return cmds, nil
}

func (l *Lent) send(ctx context.Context, command commandLine, count int, line func(n int) ([]string, []any)) ([]once, error) {
	cmds := make([]once, count)
	pipe := l.client.Pipeline()
	for n := range cmds {
		keys, args := line(n)
		cmds[n] = command(ctx, keys, args)
		if err := pipe.Process(ctx, cmds[n]); err != nil {
			return nil, err
		}
	}
	_, err := pipe.Exec(ctx)
	var failed error
	for _, cmd := range cmds {
		if cmdErr := cmd.Err(); cmdErr != nil && failed == nil {
			failed = cmdErr
		}
	}
	return cmds, errors.Join(failed, err)
}
