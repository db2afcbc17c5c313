package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// RestartCut is Restart after the last bytes of the append-only file were lost, as when the power fails in the middle of a
// write. The file may end within a command.
func (r *Redis) RestartCut(ctx context.Context, lost int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kill()
	if err := r.cutFile(lost); err != nil {
		return fmt.Errorf("cut the file of %s: %w", r.name, err)
	}
	return r.launch(ctx)
}

func (r *Redis) cutFile(lost int64) error {
	files, err := filepath.Glob(filepath.Join(r.data(), "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) == 0 {
		return errors.Join(err, errors.New("there is none"))
	}
	newest := slices.Max(files)
	file, err := os.Stat(newest)
	if err != nil {
		return err
	}
	return os.Truncate(newest, max(0, file.Size()-lost))
}
