package fleet

import (
	"fmt"
	"os"
	"path/filepath"
)

// OpenSingle is Open for the embedded mode: no server, and one process that is everything, up-0. Its data is in the folder
// data. Settings have to say where the sandbox inside listens.
func OpenSingle(config Config) (*Fleet, error) {
	if config.Notice == nil {
		config.Notice = func(string, string) {}
	}
	f := &Fleet{config: config, isOurs: config.Dir == "", Nodes: map[string][]*Node{}}
	if err := f.makeDir(); err != nil {
		return nil, err
	}
	node, err := f.newNode(Up, 0)
	if err != nil {
		f.Close()
		return nil, err
	}
	f.Nodes[Up] = []*Node{node}
	text := fmt.Sprintf("backend: embedded\nprofile: development\ndata: %q\nlisten: %q\nadmin_listen: %q\n%s\n",
		filepath.Join(f.dir, "data"), node.Listen, node.Admin, config.Settings)
	if err := os.WriteFile(f.File(), []byte(text), 0o600); err != nil {
		f.Close()
		return nil, fmt.Errorf("write the configuration of the fleet: %w", err)
	}
	return f, nil
}
