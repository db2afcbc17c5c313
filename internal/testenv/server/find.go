package server

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// systemPrograms is where Debian has mariadbd, which not everybody's PATH names.
const systemPrograms = "/usr/sbin"

// MissingError says that a server is not installed.
type MissingError struct {
	Program string
	Package string // of Debian and its relatives; empty if unknown
}

// Error implements error with what to do.
func (e *MissingError) Error() string {
	if e.Package == "" {
		return e.Program + " is not installed"
	}
	return fmt.Sprintf("%s is not installed: on Debian and its relatives it comes with `apt-get install %s`", e.Program, e.Package)
}

// packageOf names the Debian package that has a program.
func packageOf(program string) string {
	switch program {
	case "redis-server", "rabbitmq-server":
		return program
	case "mariadbd", "mariadb-install-db":
		return "mariadb-server"
	case "erl":
		return "erlang-base"
	default:
		return ""
	}
}

// Missing lists the servers that are not installed here, each once.
func Missing() []*MissingError {
	var missing []*MissingError
	for _, program := range []string{"redis-server", brokerProgram(), "mariadbd"} {
		if _, err := find(program); err != nil {
			missing = append(missing, &MissingError{program, packageOf(program)})
		}
	}
	return missing
}

// find returns the path of a program, which may be a path already.
func find(program string) (string, error) {
	for _, place := range []string{program, filepath.Join(systemPrograms, program)} {
		if path, err := exec.LookPath(place); err == nil {
			return path, nil
		}
	}
	name := filepath.Base(program)
	return "", &MissingError{name, packageOf(name)}
}
