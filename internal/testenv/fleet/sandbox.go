package fleet

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Files of a sandbox, beside the configuration file: what it is asked with, what it signs with, and what it remembers.
const (
	SandboxKey    = "sandbox.key"
	SandboxSecret = "sandbox-webhook.key"
	SandboxLedger = "sandbox.jsonl"
)

func (f *Fleet) addSandbox() error {
	sandbox, err := f.newNode(Sandbox, 0)
	if err != nil {
		return err
	}
	f.Nodes[Sandbox] = []*Node{sandbox}
	return nil
}

// File is a file of that name beside the configuration file.
func (n *Node) File(name string) string { return filepath.Join(filepath.Dir(n.Config), name) }

// writeSecrets makes the secrets of a sandbox, unless a fleet before has.
func (n *Node) writeSecrets() error {
	for _, name := range []string{SandboxKey, SandboxSecret} {
		if _, err := os.Stat(n.File(name)); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.WriteFile(n.File(name), []byte(rand.Text()+rand.Text()+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}
