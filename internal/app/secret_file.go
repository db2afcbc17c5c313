package app

// ReadSecret reads a file that holds one secret on its only line.
func ReadSecret(path string) (string, error) { return readSecret(path) }
